// The city on a plain ground: districts as cells about their assets, assets as shapes. No tile of anybody is asked for.
"use strict";
window.lifeline.map = (() => {
  const NAMES = ["UNKNOWN", "NORMAL", "BLUE", "YELLOW", "ORANGE", "RED"];
  const LETTER = { RED: "R", ORANGE: "O", YELLOW: "Y", BLUE: "B" };
  const ZH = { RED: "红", ORANGE: "橙", YELLOW: "黄", BLUE: "蓝" };
  const SIZE = [5, 3.2, 7, 8, 9, 10]; // [px] half the width of each shape
  let L, map, ground, canvas, cells, names, colours, letters, words, last = "";
  const marks = [];
  const areas = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function learn() {
    colours = Object.fromEntries(["UNKNOWN", "NORMAL", "BLUE", "YELLOW", "ORANGE", "RED", "ink", "ground", "cell", "edge", "line"].map((n) => [n, colour(n)]));
    letters = document.documentElement.lang === "en" ? LETTER : ZH;
  }

  // One shape a level: RED an octagon, ORANGE a diamond, YELLOW a triangle, BLUE a square, NORMAL a dot, UNKNOWN a ring with a cross.
  function path(c, x, y, r, level) {
    c.beginPath();
    if (level < 2) return c.arc(x, y, r, 0, 2 * Math.PI);
    const corners = [0, 0, 4, 3, 4, 8][level];
    const turn = [0, 0, Math.PI / 4, -Math.PI / 2, 0, Math.PI / 8][level];
    const far = level === 3 ? 1.35 * r : level === 2 ? 1.25 * r : level === 4 ? 1.3 * r : 1.1 * r;
    for (let i = 0; i < corners; i++) {
      const a = turn + (2 * Math.PI * i) / corners;
      c.lineTo(x + far * Math.cos(a), y + far * Math.sin(a));
    }
    c.closePath();
  }

  function draw(c, p, level, r, wide) {
    const name = NAMES[level];
    path(c, p.x, p.y, r, level);
    if (level === 0) {
      c.fillStyle = colours.ground;
      c.fill();
      c.lineWidth = 1.8;
      c.strokeStyle = colours.UNKNOWN;
      c.stroke();
      c.beginPath();
      c.moveTo(p.x - r * 0.7, p.y + r * 0.7);
      c.lineTo(p.x + r * 0.7, p.y - r * 0.7);
      c.stroke();
      return;
    }
    c.fillStyle = colours[name];
    c.globalAlpha = level === 1 ? 0.75 : 1;
    c.fill();
    c.globalAlpha = 1;
    if (level === 1) return;
    c.lineWidth = 1.5;
    c.strokeStyle = colours.line;
    c.stroke();
    if (!wide) return;
    c.fillStyle = colours[`on${name}`] ?? "#000";
    c.font = `700 ${Math.round(r * 1.25)}px system-ui, "Noto Sans CJK SC", sans-serif`;
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.fillText(letters[name], p.x, p.y + (level === 3 ? r * 0.28 : 0.5));
  }

  function spoken(text) {
    return Object.assign(document.createElement("span"), { textContent: text }); // names are text, never HTML
  }

  async function begin(id, digits, said) {
    words = said;
    L = window.L;
    map = getElement(id).map;
    window.lifeline.leaf = map;
    ground = await (await fetch("/console/ground.json")).json();
    learn();
    const Mark = L.CircleMarker.extend({
      _updatePath() {
        const to = this._renderer;
        if (!to._drawing || this._empty()) return;
        const grown = Math.min(1.6, Math.max(0.8, 0.85 + (map.getZoom() - 11) * 0.18));
        draw(to._ctx, this._point, this.options.level, SIZE[this.options.level] * grown, true);
      },
    });
    canvas = L.canvas({ padding: 0.3 });
    map.createPane("cells").style.zIndex = 350;
    cells = L.layerGroup().addTo(map);
    names = L.layerGroup().addTo(map);
    districts();
    ground.assets.forEach((asset, i) => {
      const m = new Mark([ground.lat[i], ground.lon[i]], { renderer: canvas, level: 1, radius: 9 });
      m.bindTooltip(() => spoken(`${asset} · ${words[NAMES[m.options.level]]}`), { direction: "top" });
      m.on("click", () => (location.href = `/console/cases?asset=${encodeURIComponent(asset)}`));
      marks.push(m);
    });
    L.control.scale({ imperial: false }).addTo(map);
    fit();
    paint(digits);
    window.addEventListener("lifeline-theme", () => (learn(), districts(), repaint()));
    new ResizeObserver(() => map.invalidateSize()).observe(map.getContainer());
  }

  function fit() {
    map.invalidateSize();
    const all = areas.filter(Boolean).map((a) => a.getBounds());
    if (all.length) map.fitBounds(all.reduce((a, b) => a.extend(b), L.latLngBounds(all[0].getSouthWest(), all[0].getNorthEast())), { padding: [12, 12] });
  }

  function districts() {
    cells.clearLayers();
    names.clearLayers();
    ground.districts.forEach((name, d) => {
      const rings = ground.rings[d];
      if (!rings.length) return;
      areas[d] = L.polygon(rings.map((r) => [r]), { pane: "cells", renderer: (areas.under ??= L.svg({ padding: 0.5, pane: "cells" })), color: colours.edge, weight: 1.2, fillColor: colours.cell, fillOpacity: 1, smoothFactor: 0.5, interactive: false }).addTo(cells);
      const top = rings.flat().reduce((a, b) => (b[0] > a[0] ? b : a));
      L.marker(top, { interactive: false, keyboard: false, icon: L.divIcon({ className: "district-name", html: "", iconSize: null }) })
        .addTo(names)
        .getElement()?.append(name);
    });
    shade();
  }

  // A district takes the tint of its worst asset, so that it is seen from across the room.
  function shade() {
    if (!last) return;
    const worst = ground.districts.map(() => 1);
    [...last].forEach((x, i) => (worst[ground.at[i]] = Math.max(worst[ground.at[i]], Number(x))));
    const blind = ground.districts.map((_, d) => !ground.at.some((a, i) => a === d && last[i] !== "0"));
    areas.forEach((a, d) => {
      if (!a) return;
      const name = blind[d] ? "UNKNOWN" : NAMES[worst[d]];
      const quiet = name === "NORMAL";
      a.setStyle({
        color: quiet ? colours.edge : colours[name],
        weight: quiet ? 1.2 : 2.5,
        dashArray: name === "UNKNOWN" ? "6 6" : null,
        fillColor: quiet ? colours.cell : colours[name],
        fillOpacity: quiet ? 1 : 0.3,
      });
    });
  }

  function paint(digits) {
    last = digits;
    if (!map || !ground) return;
    const order = marks.map((m, i) => [Number(digits[i]), m]);
    for (const [level, m] of order) {
      const there = map.hasLayer(m);
      if (there && m.options.level === level) continue;
      m.options.level = level;
      m.options.radius = SIZE[level] + 5;
      if (!there) m.addTo(map);
    }
    for (const least of [0, 2, 3, 4, 5]) for (const [level, m] of order) if (level === least) m.bringToFront();
    repaint();
  }

  function repaint() {
    shade();
    marks.forEach((m) => m.redraw());
  }

  function to(name) {
    const a = areas[ground.districts.indexOf(name)];
    if (a) map.fitBounds(a.getBounds(), { padding: [10, 10] });
  }

  return { begin, paint, to, fit };
})();
