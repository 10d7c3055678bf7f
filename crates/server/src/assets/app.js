// The pinner app's script: places cards, loads more, opens close-ups, and tells the server what the pinner did.
// Every page works without it; nothing here is needed to read.

"use strict";
(() => {
  const root = document.documentElement;
  const pinner = document.body.dataset.pinner;
  root.classList.add("js");

  // ---- what the pinner did -------------------------------------------------------------------------------------

  const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const EVENTS_MAX = 200;
  const waiting = [];
  const tried = new WeakSet();
  let timer = 0;

  function ulid() {
    let time = Date.now();
    let text = "";
    for (let place = 0; place < 10; place++) {
      text = BASE32[time % 32] + text;
      time = Math.floor(time / 32);
    }
    for (const byte of crypto.getRandomValues(new Uint8Array(16))) text += BASE32[byte & 31];
    return text;
  }

  function event(action, about) {
    const row = { event_id: ulid(), ts: Date.now(), pinner, action, ...about };
    for (const name of Object.keys(row)) if (row[name] === undefined || row[name] === "") delete row[name];
    return row;
  }

  /** What a card or close-up says about where its pin was shown. */
  function shown(element) {
    const { pin, request, position, surface } = element.dataset;
    return { pin, surface, request_id: request, position: position ? Number(position) : undefined };
  }

  async function post(path, rows) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(rows),
      keepalive: rows.length < 50,
    });
    if (answer.status === 401) location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || "The server did not take it.");
    return answer.json();
  }

  /** Queues an event; what is queued goes out together, soon, and at the latest when the page is left. */
  function note(row) {
    if (waiting.length < EVENTS_MAX) waiting.push(row);
    if (!timer) timer = setTimeout(flush, 1500);
  }

  async function flush() {
    clearTimeout(timer);
    timer = 0;
    const rows = waiting.splice(0, 49);
    if (!rows.length) return;
    try {
      await post("/v1/events", rows);
    } catch {
      // The ids make a second try harmless; a third is not worth the pinner's battery.
      waiting.push(...rows.filter((row) => !tried.has(row)).slice(0, EVENTS_MAX - waiting.length));
      rows.forEach((row) => tried.add(row));
    }
    if (waiting.length && !timer) timer = setTimeout(flush, 3000);
  }

  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      leaveCloseup();
      flush();
    }
  });

  // ---- a word at the bottom ------------------------------------------------------------------------------------

  const toasts = document.querySelector(".toasts");

  function toast(text, link) {
    if (!toasts) return;
    const element = document.createElement("div");
    element.className = "toast";
    element.append(text);
    if (link) {
      const a = document.createElement("a");
      a.href = link.href;
      a.textContent = link.text;
      element.append(a);
    }
    (document.querySelector("dialog[open]") || document.body).append(toasts);
    toasts.replaceChildren(element);
    setTimeout(() => element.remove(), 3600);
  }

  // ---- masonry -------------------------------------------------------------------------------------------------

  /** Places the cards of a wall: each in the column that is shortest, in the order of the ranking. */
  class Wall {
    constructor(element) {
      this.element = element;
      this.scroller = element.closest("dialog");
      element.wall = this;
      this.sized = new ResizeObserver(() => this.element.clientWidth !== this.width && this.place());
      this.sized.observe(element);
      this.place();
      this.watch(element.querySelectorAll(".card"));
      this.more = element.parentElement.querySelector(":scope > .more");
      if (this.more) {
        this.ahead = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.load(), {
          root: this.scroller,
          rootMargin: "1400px 0px",
        });
        this.ahead.observe(this.more);
      }
    }

    place(from = 0) {
      const wall = this.element;
      if (!wall.isConnected) return this.sized.disconnect();
      const cards = [...wall.querySelectorAll(":scope > .card:not(.leaving)")];
      if (!from || !this.heights) {
        const style = getComputedStyle(wall);
        this.gap = parseFloat(style.columnGap) || 16;
        this.width = wall.clientWidth;
        const wanted = this.width < 700 ? 150 : 236;
        const count = Math.max(2, Math.floor((this.width + this.gap) / (wanted + this.gap)));
        this.column = (this.width - this.gap * (count - 1)) / count;
        this.heights = new Array(count).fill(0);
        from = 0;
      }
      const fresh = cards.slice(from);
      for (const card of fresh) card.style.width = this.column + "px";
      const tall = fresh.map((card) => card.offsetHeight);
      fresh.forEach((card, at) => {
        const column = this.heights.indexOf(Math.min(...this.heights));
        const x = column * (this.column + this.gap);
        card.style.transform = `translate(${x}px, ${this.heights[column]}px)`;
        card.classList.add("placed");
        this.heights[column] += tall[at] + this.gap + 6;
      });
      wall.style.height = Math.max(0, ...this.heights) + "px";
    }

    watch(cards) {
      for (const card of cards) {
        impressions(this.scroller).observe(card);
        const image = card.querySelector("img");
        if (!image) continue;
        const ready = () => {
          image.classList.add("ready");
          if (!image.hasAttribute("height")) this.soon();
        };
        if (image.complete) ready();
        else image.addEventListener("load", ready, { once: true });
        image.addEventListener("error", () => this.words(image), { once: true });
        if (image.complete && !image.naturalWidth) this.words(image);
      }
    }

    /** A picture that cannot be had gives way to its words. */
    words(image) {
      const words = document.createElement("span");
      words.className = "words tone-" + ([...image.alt].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 12);
      words.append(Object.assign(document.createElement("b"), { textContent: image.alt }));
      image.parentElement?.replaceChildren(words);
      this.soon();
    }

    soon() {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.place());
    }

    async load() {
      const link = this.more && this.more.querySelector("a");
      if (!link || this.loading) return;
      this.loading = true;
      this.more.classList.add("busy");
      try {
        const answer = await fetch(link.href + (link.href.includes("?") ? "&" : "?") + "part=cards");
        if (answer.status === 410) {
          // The ranking is gone: a fresh one goes on where this one ended; what is shown already is skipped.
          const url = new URL(link.href);
          url.searchParams.delete("cursor");
          link.href = url.href;
          this.loading = false;
          return this.load();
        }
        if (!answer.ok) throw new Error(answer.status);
        this.append(await answer.text());
      } catch {
        this.ahead.disconnect();
      } finally {
        this.loading = false;
        this.more?.classList.remove("busy");
      }
    }

    append(html) {
      const template = document.createElement("template");
      template.innerHTML = html;
      const known = new Set([...this.element.querySelectorAll(":scope > .card")].map((card) => card.dataset.pin));
      const cards = [...template.content.querySelectorAll(".card")].filter((card) => !known.has(card.dataset.pin));
      const next = template.content.querySelector(".more a");
      const from = this.element.querySelectorAll(":scope > .card:not(.leaving)").length;
      this.element.append(...cards);
      cards.forEach((card) => card.classList.add("new"));
      this.place(from);
      this.watch(cards);
      this.ahead.unobserve(this.more);
      // Without a cursor the next ranking is a fresh one; when it brings nothing new, that is all there is.
      if (next && cards.length) {
        this.more.querySelector("a").href = next.href;
        this.ahead.observe(this.more);
      } else {
        this.more.remove();
        this.more = null;
      }
    }

    /** Takes a card out and closes the gap. */
    remove(card) {
      card.classList.add("leaving");
      this.element.classList.add("settled");
      setTimeout(() => {
        card.remove();
        this.place();
        setTimeout(() => this.element.classList.remove("settled"), 400);
      }, 220);
    }
  }

  // ---- impressions: half of the card in view for a second ------------------------------------------------------

  const observers = new Map();

  function impressions(scroller) {
    const key = scroller || document;
    if (!observers.has(key)) observers.set(key, new IntersectionObserver(seen, { root: scroller, threshold: 0.5 }));
    return observers.get(key);
  }

  function seen(entries, observer) {
    for (const { target, isIntersecting } of entries) {
      clearTimeout(target.dwell);
      if (!isIntersecting) continue;
      target.dwell = setTimeout(() => {
        observer.unobserve(target);
        if (target.isConnected && pinner) note(event("impression", shown(target)));
      }, 1000);
    }
  }

  // ---- save and hide -------------------------------------------------------------------------------------------

  const boardKey = "board of " + pinner;

  function lastBoard() {
    try {
      return JSON.parse(sessionStorage.getItem(boardKey)) || {};
    } catch {
      return {};
    }
  }

  async function save(element, button, board) {
    button.disabled = true;
    try {
      await post("/v1/events", [event("save", { ...shown(element), board: board.id })]);
      for (const same of document.querySelectorAll(`[data-pin="${CSS.escape(element.dataset.pin)}"]`)) markSaved(same);
      const href = board.id && `/as/${encodeURIComponent(pinner)}/boards/${encodeURIComponent(board.id)}`;
      toast(board.title ? `Saved to ${board.title}` : "Saved", href && { href, text: "See the board" });
    } catch (error) {
      toast(error.message);
    } finally {
      button.disabled = false;
    }
  }

  function markSaved(element) {
    element.classList.add("saved");
    const button = element.querySelector("[data-do=save]");
    if (!button) return;
    button.classList.add("done");
    const label = button.querySelector("span");
    if (label) label.textContent = "Saved";
  }

  async function hide(element) {
    const card = element.classList.contains("card") ? element : null;
    if (card) card.closest(".wall")?.wall?.remove(card);
    try {
      await post("/v1/events", [event("hide", shown(element))]);
      toast("Hidden. You will see less like this.");
    } catch (error) {
      toast(error.message);
    }
    for (const same of document.querySelectorAll(`.card[data-pin="${CSS.escape(element.dataset.pin)}"]`)) {
      if (same !== card) same.closest(".wall")?.wall?.remove(same);
    }
    if (!card) closeSheet();
  }

  async function chosenBoard(select) {
    if (select.value !== "+") {
      return select.value ? { id: select.value, title: select.selectedOptions[0].textContent.trim() } : {};
    }
    const title = (prompt("Name of the new board") || "").trim();
    if (!title) return null;
    const board = await newBoard(title);
    const option = new Option(board.title, board.id, true, true);
    select.insertBefore(option, select.lastElementChild);
    return board;
  }

  async function newBoard(title) {
    const board = { id: "b-" + ulid().toLowerCase(), title, pinner };
    await post("/v1/boards", [board]);
    return board;
  }

  document.addEventListener("click", async (click) => {
    const button = click.target.closest("[data-do]");
    if (!button) return follow(click);
    const element = button.closest("[data-pin]");
    click.preventDefault();
    switch (button.dataset.do) {
      case "hide":
        return hide(element);
      case "close":
        return closeSheet();
      case "save": {
        const select = element.querySelector("select[name=board]");
        try {
          const board = select ? await chosenBoard(select) : lastBoard();
          if (!board) return;
          if (select) sessionStorage.setItem(boardKey, JSON.stringify(board));
          return save(element, button, board);
        } catch (error) {
          return toast(error.message);
        }
      }
    }
  });

  document.addEventListener("submit", async (submit) => {
    const form = submit.target;
    if (form.dataset.form !== "board") return;
    submit.preventDefault();
    try {
      const board = await newBoard(form.elements.title.value.trim());
      sessionStorage.setItem(boardKey, JSON.stringify(board));
      setTimeout(() => location.reload(), 350);
    } catch (error) {
      toast(error.message);
    }
  });

  // ---- close-ups: a sheet over the page, with an address of its own ---------------------------------------------

  const sheet = document.querySelector("dialog.sheet");
  const home = { url: location.href, title: document.title };
  let current = null; // the close-up that is open
  let watched = null; // the same while its time runs

  function follow(click) {
    const link = click.target.closest("a");
    if (!link || click.defaultPrevented || click.button || click.metaKey || click.ctrlKey || click.shiftKey) return;
    if (link.dataset.link !== undefined && current) {
      note(event("click", shown(current)));
      flush();
    }
    if (!link.classList.contains("open") || !sheet) return;
    click.preventDefault();
    openSheet(link.href, true);
  }

  async function openSheet(url, push) {
    try {
      const answer = await fetch(url + (url.includes("?") ? "&" : "?") + "part=closeup");
      if (!answer.ok) throw new Error();
      const html = await answer.text();
      if (push) history.pushState({ sheet: url }, "", url);
      leaveCloseup();
      sheet.querySelector(".inside").innerHTML = html;
      document.title = sheet.querySelector("h1")?.textContent || home.title;
      document.body.classList.add("covered");
      if (!sheet.open) sheet.showModal();
      sheet.scrollTop = 0;
      begin(sheet);
      sheet.querySelector("h1")?.focus({ preventScroll: true });
    } catch {
      location.assign(url);
    }
  }

  /** Goes back to the page below; the browser's own history does the work. */
  function closeSheet() {
    if (sheet?.open || history.length > 1) history.back();
    else location.assign(`/as/${encodeURIComponent(pinner)}`);
  }

  function uncover() {
    leaveCloseup();
    if (toasts) document.body.append(toasts);
    sheet.close();
    sheet.querySelector(".inside").replaceChildren();
    document.body.classList.remove("covered");
    document.title = home.title;
  }

  addEventListener("popstate", ({ state }) => {
    if (!sheet) return;
    if (state?.sheet) openSheet(state.sheet, false);
    else if (sheet.open) uncover();
  });
  sheet?.addEventListener("cancel", (cancel) => {
    cancel.preventDefault();
    closeSheet();
  });

  /** A close-up counts when it is left, with the time spent on it. */
  function leaveCloseup() {
    if (!watched) return;
    const value = Math.round(performance.now() - watched.since);
    note({ ...watched.row, value });
    watched = null;
    flush();
  }

  // ---- start ---------------------------------------------------------------------------------------------------

  function begin(part) {
    part.querySelectorAll(".wall").forEach((wall) => new Wall(wall));
    part.querySelectorAll("img:not(.card img)").forEach((image) => {
      const ready = () => image.classList.add("ready");
      if (image.complete) ready();
      else image.addEventListener("load", ready, { once: true });
    });
    const board = lastBoard();
    const select = part.querySelector("select[name=board]");
    if (select && board.id && [...select.options].some((option) => option.value === board.id)) select.value = board.id;
    const closeup = part.querySelector(".closeup");
    if (closeup && pinner) {
      current = closeup;
      watched = { since: performance.now(), row: event("closeup", shown(closeup)) };
    }
    const results = part.querySelector("[data-query]");
    if (results && pinner) note(event("search", { query: results.dataset.query, surface: "search" }));
  }

  document.addEventListener("bowerbird:part", ({ detail }) => begin(detail));
  begin(document);
})();
