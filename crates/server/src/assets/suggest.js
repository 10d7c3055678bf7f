// Completions under the search field. Without the script the field is a field: the form works either way.

"use strict";
(() => {
  const field = document.querySelector(".bar .seek input[name=q]");
  if (!field) return;
  const WAIT_MS = 80;
  const KEPT_MAX = 200;
  const form = field.form;
  const pinner = document.body.dataset.pinner || "";
  const list = document.createElement("ul");
  const answers = new Map(); // what was typed: what was offered
  let timer = 0;
  let asked = null; // stops the question under way
  let typed = field.value; // what the pinner typed, while an offer stands in the field
  let active = -1;

  list.id = "completions";
  list.className = "completions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  form.append(list);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": list.id,
    "aria-haspopup": "listbox",
  })) field.setAttribute(name, value);

  const options = () => [...list.children];

  function close() {
    clearTimeout(timer);
    asked?.abort();
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  /** The offered text; what was not typed stands out. */
  function option(text, number, trend) {
    const element = document.createElement("li");
    element.id = `completion-${number}`;
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", "false");
    element.dataset.text = text;
    const start = typed.trim().toLowerCase();
    if (start && text.startsWith(start)) {
      const rest = document.createElement("b");
      rest.textContent = text.slice(start.length);
      element.append(text.slice(0, start.length), rest);
    } else {
      element.append(text);
    }
    if (trend) element.append(Object.assign(document.createElement("small"), { textContent: "rising" }));
    return element;
  }

  function show(found) {
    active = -1;
    field.removeAttribute("aria-activedescendant");
    list.replaceChildren(...found.map((one, number) => option(one.text, number, one.ratio)));
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(!!found.length));
  }

  async function ask() {
    const text = typed;
    const key = text.replace(/^\s+/, "").toLowerCase();
    if (answers.has(key)) return show(answers.get(key));
    asked?.abort();
    const stop = (asked = new AbortController());
    try {
      const path = key ? `/v1/autocomplete?limit=8&pinner=${encodeURIComponent(pinner)}&q=${encodeURIComponent(key)}` : "/v1/trending?limit=8";
      const answer = await fetch(path, { signal: stop.signal });
      if (!answer.ok) return close();
      const body = await answer.json();
      const found = key ? body.completions : body.trending;
      if (answers.size >= KEPT_MAX) answers.clear();
      answers.set(key, found);
      if (text === typed && document.activeElement === field) show(found);
    } catch {
      // A question that was overtaken, or no network: the field is still a field.
    }
  }

  function choose(number) {
    // An answer that comes later does not take the list away from who walks through it.
    clearTimeout(timer);
    asked?.abort();
    const all = options();
    all[active]?.setAttribute("aria-selected", "false");
    active = number;
    const chosen = all[active];
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) field.setAttribute("aria-activedescendant", chosen.id);
    else field.removeAttribute("aria-activedescendant");
    field.value = chosen ? chosen.dataset.text : typed;
  }

  field.addEventListener("input", () => {
    typed = field.value;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });

  // Whoever comes to an empty field is shown what others look for.
  field.addEventListener("click", () => {
    if (list.hidden && !field.value) ask();
  });

  field.addEventListener("keydown", (key) => {
    if (key.isComposing) return;
    const count = options().length;
    switch (key.key) {
      case "ArrowDown":
      case "ArrowUp": {
        key.preventDefault();
        if (list.hidden || !count) return ask();
        // One place more than there are offers: there stands what was typed.
        const step = key.key === "ArrowDown" ? 1 : -1;
        return choose(((active + 1 + step + count + 1) % (count + 1)) - 1);
      }
      case "Escape":
        if (list.hidden) return;
        key.preventDefault();
        field.value = typed;
        return close();
      case "Tab":
      case "Enter":
        // The form sends what stands in the field.
        return close();
    }
  });

  // The field keeps the focus while an offer is pressed.
  list.addEventListener("pointerdown", (down) => down.preventDefault());
  list.addEventListener("click", (click) => {
    const chosen = click.target.closest("[role=option]");
    if (!chosen) return;
    field.value = chosen.dataset.text;
    close();
    form.requestSubmit();
  });
  field.addEventListener("blur", close);
  addEventListener("pageshow", () => {
    typed = field.value;
    close();
  });
})();
