// What the console does in the browser: keys, theme, language, ages, and whether what is shown still holds.
"use strict";
window.lifeline = (() => {
  const said = window.LIFELINE;
  const LOST = 6; // [s] without a sign of life
  const OLD = 12; // [s] age of the picture
  let heard = performance.now();
  let once = false; // heard at all: before that nothing is green
  let age = 0; // [s] of the picture when it was last heard of
  let wrong = 0;
  let ahead = 0; // [ms] the desk's clock less this one
  let going = 0;
  let beeps = null;
  const $ = (id) => document.getElementById(id);
  const keep = (name, value) => (document.cookie = `${name}=${value};path=/;max-age=31536000;samesite=lax`);

  function beat(seconds, n, now) {
    heard = performance.now();
    once = true;
    age = seconds;
    wrong = n;
    ahead = now - Date.now();
  }

  // Silence is never green: without a sign of life, or with an old picture, the page says so in red.
  function hold() {
    const silent = (performance.now() - heard) / 1000;
    const old = age + silent;
    const stale = silent > LOST || old > OLD;
    const live = $("live");
    document.documentElement.classList.toggle("stale", stale);
    if (live) {
      const text = stale ? `${said.stale} ${Math.round(Math.min(old, 9999))} s` : wrong ? said.unready.replace("{n}", wrong) : said.live;
      if (live.textContent !== text) live.textContent = text;
      live.className = `live ${stale ? "bad" : !once ? "wait" : wrong ? "ill" : "good"}`;
    }
    let band = $("stale");
    if (stale && !band) {
      band = document.createElement("p");
      band.id = "stale";
      band.setAttribute("role", "alert");
      document.body.append(band);
    }
    if (band) {
      band.hidden = !stale;
      band.textContent = said.stale_long.replace("{n}", Math.round(Math.min(old, 9999)));
    }
  }

  function spell(seconds) {
    const s = Math.abs(seconds);
    const zh = said.language !== "en";
    const [n, unit] = s < 60 ? [s, zh ? "秒" : "s"] : s < 3600 ? [s / 60, zh ? "分钟" : "min"]
      : s < 86400 ? [s / 3600, zh ? "小时" : "h"] : [s / 86400, zh ? "天" : "d"];
    return `${Math.floor(n)} ${unit}`;
  }

  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: said.zone, dateStyle: "short", timeStyle: "medium" });

  function tick() {
    const now = Date.now() + ahead;
    const face = $("clock");
    const hour = clock.format(now).slice(5); // month, day and time
    if (face && face.textContent !== hour) face.textContent = hour;
    for (const e of document.querySelectorAll("time[data-t]")) {
      const text = spell((now - Number(e.dataset.t)) / 1000);
      if (!e.title) e.title = e.textContent;
      if (e.textContent !== text) e.textContent = text;
    }
    for (const e of document.querySelectorAll("time[data-due]")) {
      const left = (Number(e.dataset.due) - now) / 1000;
      const text = left >= 0 ? `${said.language === "en" ? "in " : ""}${spell(left)}${said.language === "en" ? "" : "后"}`
        : `${said.language === "en" ? "late by " : "逾期 "}${spell(left)}`;
      e.classList.toggle("late", left < 0);
      if (!e.title) e.title = e.textContent;
      if (e.textContent !== text) e.textContent = text;
    }
  }

  function counts(found) {
    for (const [level, n] of Object.entries(found)) {
      const cell = document.querySelector(`#tally b[data-level=${level}]`);
      if (!cell) continue;
      cell.textContent = n;
      cell.parentElement.classList.toggle("zero", !n);
    }
  }

  function beep(red) {
    if (localStorage.getItem("lifeline_sound") !== "on") return;
    beeps ??= new AudioContext();
    const from = beeps.currentTime;
    for (let i = 0; i < (red ? 3 : 1); i++) {
      const tone = beeps.createOscillator();
      const gain = beeps.createGain();
      tone.frequency.value = red ? 880 : 587;
      gain.gain.setValueAtTime(0.2, from + i * 0.3);
      gain.gain.exponentialRampToValueAtTime(0.001, from + i * 0.3 + 0.25);
      tone.connect(gain).connect(beeps.destination);
      tone.start(from + i * 0.3);
      tone.stop(from + i * 0.3 + 0.26);
    }
  }

  // What has risen to ORANGE or RED: a word on every page, a flash in the lists, a sound for who wants one.
  function rose(cases) {
    let box = $("rose");
    if (!box) {
      box = document.createElement("div");
      box.id = "rose";
      box.setAttribute("role", "alert");
      document.body.append(box);
    }
    for (const c of cases.slice(0, 4)) {
      const a = document.createElement("a");
      a.href = `/console/case/${c.id}`;
      a.className = c.level;
      a.textContent = `${c.title} — ${c.district}`;
      box.prepend(a);
      setTimeout(() => a.remove(), 15000);
    }
    const ids = new Set(cases.map((c) => c.id));
    setTimeout(() => {
      for (const row of document.querySelectorAll(".entry")) if (ids.has(row.dataset.id)) row.classList.add("new");
    }, 50);
    beep(cases.some((c) => c.red === "true"));
  }

  // ---- keys
  let current = ""; // id of the chosen line: it stays chosen when the list is drawn anew
  const rows = () => [...document.querySelectorAll("#main .entry")];

  function move(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((r) => r === document.activeElement || (current && r.dataset.id === current));
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    current = next.dataset.id;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  function chosen() {
    if (!current) return false;
    const row = rows().find((r) => r.dataset.id === current);
    if (document.activeElement === document.body) row?.focus({ preventScroll: true });
    return Boolean(row) && row === document.activeElement;
  }

  function seek() {
    const field = document.querySelector("input.search");
    if (field) field.focus();
    else location.href = "/console/cases";
  }

  function press(id) {
    const button = $(id) ?? document.querySelector(`.${id}`);
    button?.click();
    return Boolean(button);
  }

  function typing(e) {
    return e.target.closest?.("input,textarea,select,[contenteditable=true]") || document.querySelector(".q-dialog--modal,dialog[open]");
  }

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Escape" && e.target.matches?.("input.search")) e.target.blur();
    if (typing(e)) return;
    const page = performance.now() - going < 1500 ? said.keys[e.key] : undefined;
    going = e.key === "g" ? performance.now() : 0;
    if (page) location.href = page;
    else if (e.key === "j" || e.key === "ArrowDown") move(1);
    else if (e.key === "k" || e.key === "ArrowUp") move(-1);
    else if (e.key === "Enter" && chosen()) document.activeElement.click();
    else if (e.key === "?") $("help")?.showModal();
    else if (e.key === "t") theme();
    else if (e.key === "l") language();
    else if (e.key === "a") press("act-ack");
    else if (e.key === "/") seek();
    else if (e.key === "Escape" && location.pathname.includes("/case/")) history.back();
    else return;
    e.preventDefault();
  });

  // ---- theme, language, sound
  function dark() {
    const is = said.theme === "dark" || (said.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.dark = is;
    window.Quasar?.Dark.set(is);
    window.dispatchEvent(new Event("lifeline-theme"));
  }

  function theme() {
    const all = ["auto", "dark", "light"];
    said.theme = all[(all.indexOf(said.theme) + 1) % 3];
    keep("lifeline_theme", said.theme);
    document.documentElement.dataset.theme = said.theme;
    dark();
  }

  function language() {
    keep("lifeline_language", said.language === "en" ? "zh-CN" : "en");
    location.reload();
  }

  function sound() {
    const on = localStorage.getItem("lifeline_sound") === "on" ? "off" : "on";
    localStorage.setItem("lifeline_sound", on);
    hear();
    if (on === "on") beep(false);
  }

  function hear() {
    const button = $("do-sound");
    if (!button) return;
    const on = localStorage.getItem("lifeline_sound") === "on";
    button.setAttribute("aria-pressed", on);
    button.title = `${button.getAttribute("aria-label")}: ${said.sound[Number(on)]}`;
  }

  document.addEventListener("click", (e) => {
    const id = e.target.closest?.("button")?.id;
    if (id === "do-theme") theme();
    else if (id === "do-language") language();
    else if (id === "do-sound") sound();
    else if (id === "do-help") $("help")?.showModal();
    const district = e.target.closest?.("a[data-district]");
    if (district) {
      e.preventDefault();
      window.lifeline.map?.to(district.dataset.district);
    }
  });

  dark();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dark);
  setInterval(() => (hold(), tick(), hear(), chosen()), 250);
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(tick).observe(document.body, { childList: true, subtree: true }); // ages before they are painted
    const wait = setInterval(() => window.Quasar && (clearInterval(wait), setTimeout(dark, 0)), 50);
  });
  return { beat, counts, rose };
})();
