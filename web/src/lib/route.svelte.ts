// The address after "#": "#/tables/users" is ["tables", "users"].
function parts(): string[] {
  return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
}

class Route {
  parts = $state.raw(parts());

  constructor() {
    addEventListener("hashchange", () => {
      this.parts = parts();
      document.querySelector<HTMLElement>("main")?.focus();
    });
  }
}

export const route = new Route();
