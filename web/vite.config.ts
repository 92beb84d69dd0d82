import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// `TAILRACE=http://127.0.0.1:9021 npm run dev` works on the page against a running Tailrace.
const target = process.env.TAILRACE ?? "http://127.0.0.1:9021";
// Tailrace refuses what comes from pages of other origins.
const through = { target, changeOrigin: true, headers: { origin: target } };

export default defineConfig({
  plugins: [svelte()],
  server: { proxy: { "/api": through, "/metrics": through } },
  build: { target: "es2022", modulePreload: false, assetsInlineLimit: 0, reportCompressedSize: false },
});
