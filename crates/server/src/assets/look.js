// Searching with pictures: one from this device, or a part of one that is shown.

"use strict";
(() => {
  const pinner = document.body.dataset.pinner;
  const main = document.querySelector("main");
  if (!pinner || !main) return;
  const home = `/as/${encodeURIComponent(pinner)}/look`;
  let own = null; // the picture from this device
  let shown = null; // the address under which it is shown
  let asked = 0; // answers count only while nothing newer was asked

  /** Results take the place of the page; the app's script places them. */
  function show(html) {
    const results = main.querySelector("[data-results]");
    results.innerHTML = html;
    document.dispatchEvent(new CustomEvent("bowerbird:part", { detail: results }));
    if (!results.querySelector(".card")) results.textContent = "Nothing looks like this.";
  }

  function note(text) {
    main.querySelector("[data-results]").textContent = text;
  }

  async function ask(crop) {
    const turn = ++asked;
    note("Looking …");
    try {
      const answer = await fetch(home + (crop ? `?crop=${crop}` : ""), {
        method: "POST",
        headers: { "content-type": own.type || "image/jpeg" }, // what it is is read off the bytes
        body: own,
      });
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail);
      const html = await answer.text();
      if (turn === asked) show(html);
    } catch (error) {
      if (turn === asked) note(error.message || "The picture could not be read.");
    }
  }

  function begin(file) {
    own = file;
    if (shown) URL.revokeObjectURL(shown);
    shown = URL.createObjectURL(file);
    const region = document.createElement("div");
    region.className = "region";
    region.dataset.region = "own";
    const image = Object.assign(new Image(), { src: shown, alt: file.name, draggable: false });
    image.classList.add("ready");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "rect"));
    region.append(image, svg);
    const words = document.createElement("div");
    words.innerHTML = "<h1>Looks like your picture</h1><p>Drag over the picture to choose a part of it.</p>";
    const head = document.createElement("div");
    head.className = "looked";
    head.append(region, words);
    const results = document.createElement("section");
    results.dataset.results = "";
    results.setAttribute("aria-label", "Results");
    main.replaceChildren(head, results);
    ask("");
  }

  document.addEventListener("change", (change) => {
    const [file] = change.target.matches("[data-look]") ? change.target.files : [];
    if (file) begin(file);
    change.target.value = change.target.matches("[data-look]") ? "" : change.target.value;
  });

  // ---- choosing a part -----------------------------------------------------------------------------------------

  const SMALLEST = 0.04;
  let drag = null;

  function place(region, event) {
    const box = region.getBoundingClientRect();
    const inside = (value) => Math.min(1, Math.max(0, value));
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  }

  document.addEventListener("pointerdown", (down) => {
    const region = down.target.closest("[data-region]");
    if (!region || down.button) return;
    down.preventDefault();
    region.setPointerCapture(down.pointerId);
    drag = { region, from: place(region, down) };
  });

  document.addEventListener("pointermove", (move) => {
    if (!drag) return;
    const to = place(drag.region, move);
    const low = drag.from.map((value, axis) => Math.min(value, to[axis]));
    const size = drag.from.map((value, axis) => Math.abs(value - to[axis]));
    drag.crop = [...low, ...size];
    const rect = drag.region.querySelector("rect");
    ["x", "y", "width", "height"].forEach((name, at) => rect.setAttribute(name, `${drag.crop[at] * 100}%`));
  });

  document.addEventListener("pointercancel", () => {
    drag?.region.querySelector("rect").removeAttribute("width");
    drag = null;
  });

  document.addEventListener("pointerup", () => {
    if (!drag) return;
    const { region, crop } = drag;
    drag = null;
    const chosen = crop && crop[2] > SMALLEST && crop[3] > SMALLEST;
    const text = chosen ? crop.map((share) => share.toFixed(3)).join(",") : "";
    if (region.dataset.region === "own") return ask(text);
    const url = new URL(location.href);
    if (chosen) url.searchParams.set("crop", text);
    else url.searchParams.delete("crop");
    if (url.href !== location.href) location.assign(url.href);
  });
})();
