// The address after "#": "#/tables/users" is ["tables", "users"].
function parts(): string[] {
  return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
}

class Route {
  parts = $state.raw(parts());

  constructor() {
    addEventListener("hashchange", () => {
      const before = this.parts;
      this.parts = parts();
      // Within a workflow the grid of runs stays, and with it the place of who walks through it.
      const stays = this.parts[0] === "workflows" && before[0] === "workflows" && this.parts[1] === before[1];
      if (!stays) document.querySelector<HTMLElement>("main")?.focus();
    });
  }
}

export const route = new Route();
