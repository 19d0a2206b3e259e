"use strict";
// Loaded in the head, before anything is painted: the reader's choice of dark or light.
window.bench = { views: {} };

(() => {
  const THEMES = ["auto", "light", "dark"];

  // Browsers may forbid storage to pages that are opened from disk.
  function kept() {
    try {
      return localStorage.getItem("bench-theme");
    } catch {
      return null;
    }
  }

  function keep(theme) {
    try {
      localStorage.setItem("bench-theme", theme);
    } catch {
      // The choice then lasts as long as the page is open.
    }
  }

  let theme = THEMES.includes(kept()) ? kept() : "auto";

  function apply() {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }

  bench.theme = {
    get: () => theme,
    next() {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      keep(theme);
      apply();
      return theme;
    },
  };
  apply();
})();
