"use strict";
// The data files: each is a script that calls bench.put or bench.zip, for a page that is opened
// from disk may load scripts and nothing else.
(() => {
  const KEPT = 120;
  const waiting = new Map();
  const held = new Map();

  bench.put = (key, value) => {
    if (key === "board") bench.board = value;
    else waiting.get(key)?.(value);
    waiting.delete(key);
  };

  bench.zip = (key, text) => {
    const resolve = waiting.get(key);
    waiting.delete(key);
    resolve?.(unzip(text));
  };

  function unzip(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  function fetchScript(key) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const fail = () => {
        script.remove();
        if (waiting.delete(key)) reject(new Error(`data/${key}.js is missing or damaged.`));
      };
      waiting.set(key, resolve);
      script.src = `data/${key}.js`;
      script.onload = fail; // by then the script has called bench.zip, or never will
      script.onerror = fail;
      document.head.append(script);
    });
  }

  // Gives the content of data/KEY.js; what was read last is kept.
  bench.load = (key) => {
    const found = held.get(key) ?? fetchScript(key);
    held.delete(key);
    held.set(key, found);
    found.catch(() => held.delete(key));
    if (held.size > KEPT) held.delete(held.keys().next().value);
    return found;
  };
})();
