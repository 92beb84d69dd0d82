import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `TAILRACE=http://127.0.0.1:9021 npm run dev` works on the page against a running Tailrace.
const target = process.env.TAILRACE ?? "http://127.0.0.1:9021";

export default defineConfig({
  plugins: [svelte()],
  server: { proxy: { "/api": target, "/metrics": target } },
  build: { target: "es2022", modulePreload: false, assetsInlineLimit: 0, reportCompressedSize: false },
});
