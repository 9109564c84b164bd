(() => {
  "use strict";
  const form = document.querySelector("form[role=search]");
  const fields = form ? [...form.elements].map((field) => field.name).filter(Boolean) : [];
  const lines = [...document.querySelectorAll(".case, .ruled-out")].map((node) => {
    const item = node.closest("details.item, .issue");
    const head = item ? item.querySelector("summary, .case-head").textContent : "";
    const names = [...node.querySelectorAll(".names")].pop();
    return {
      node,
      item,
      text: (head + " " + node.textContent).toLowerCase(),
      elements: new Set(names ? names.textContent.split(/[\s,]+/).filter(Boolean) : []),
      count: Number(node.dataset.number || 0),
    };
  });
  const opened = (node) => {
    for (let at = node; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  };
  const created = (tag, text, name) => {
    const node = document.createElement(tag);
    node.textContent = text;
    if (name) node.className = name;
    return node;
  };

  // --- the parts of the pictures (one of which is shown): boxes with their elements, arrows with their flows, frames

  const about = document.getElementById("about");
  const pictures = about ? [...document.querySelectorAll("#picture .picture svg")] : [];
  const parts = [];
  const named = new Map();
  for (const picture of pictures) {
    for (const node of [...picture.querySelectorAll("g.node[data-of], g.edge[data-of]"), ...picture.querySelectorAll("g.cluster[data-of]")]) {
      const ids = node.dataset.of.split(" ");
      const title = node.querySelector("title").textContent.split("\n");
      const own = lines.filter((line) => ids.some((id) => line.elements.has(id)) && line.count);
      let name = node.id.replace(/^.*?-(?=box-|link-|zone-)/, "").replace(/^box-/, "");
      if (named.has(name) && named.get(name).ids.join() !== ids.join()) name += "-narrow"; // it stands for something else
      const part = { picture, node, name, ids, title, lines: own };
      parts.push(part);
      if (!named.has(name)) named.set(name, part);
    }
  }

  const meant = (value) => (named.has(value) ? named.get(value).ids : value ? [value] : []);

  const filter = () => {
    const wanted = Object.fromEntries(fields.map((name) => [name, form.elements[name].value.trim()]));
    const words = (wanted.q || "").toLowerCase().split(/\s+/).filter(Boolean);
    const ids = meant(wanted.element);
    const data = fields
      .filter((name) => name !== "q" && name !== "element" && wanted[name])
      .map((name) => [name, "|" + (name === "standard" ? wanted[name].toLowerCase() : wanted[name]) + "|"]);
    const shown = new Set();
    let count = 0;
    for (const one of lines) {
      const fits =
        data.every(([name, value]) => (one.node.dataset[name] || "").includes(value)) &&
        (!ids.length || ids.some((id) => one.elements.has(id))) &&
        words.every((word) => one.text.includes(word));
      if (one.node.hidden === fits) one.node.hidden = !fits;
      if (fits) {
        shown.add(one.item);
        count += ids.length ? Math.min(one.count, ids.filter((id) => one.elements.has(id)).length) : one.count;
      }
    }
    const narrowed = fields.some((name) => wanted[name]);
    for (const item of new Set(lines.map((one) => one.item))) if (item) item.hidden = !shown.has(item);
    for (const part of parts) {
      const fits = ids.length ? part.name === wanted.element || part.ids.some((id) => ids.includes(id)) : part.lines.some((line) => !line.node.hidden);
      part.node.classList.toggle("dim", narrowed && !fits && !part.node.matches(".cluster"));
      part.node.setAttribute("aria-pressed", String(narrowed && part.name === wanted.element));
    }
    const found = count.toLocaleString("en") + (count === 1 ? " finding" : " findings");
    form.querySelector("output").textContent = count ? found : "No finding fits: clear a field";
    const state = new URLSearchParams(Object.entries(wanted).filter((entry) => entry[1]));
    if (narrowed || location.hash.startsWith("#filter:")) {
      history.replaceState(null, "", narrowed ? "#filter:" + state : "#" + form.closest("section").id);
    }
  };

  const wide = matchMedia("(min-width: 68rem)");
  const followed = () => {
    if (!form) return;
    if (location.hash.startsWith("#filter:")) {
      const state = new URLSearchParams(location.hash.slice(8));
      for (const name of fields) form.elements[name].value = state.get(name) || "";
      filter();
      (wide.matches ? form : form.querySelector("output")).scrollIntoView(); // on a phone the form fills the window
    } else if (location.hash) {
      const target = document.getElementById(location.hash.slice(1));
      if (target) {
        if (target.hidden) form.reset();
        opened(target);
        target.scrollIntoView();
      }
    }
  };

  // --- what is known of a part: hover, focus and keys

  const MOST = 4;
  const few = (names, number = names.length) => names.slice(0, MOST).join(", ") + (number > MOST ? " and " + (number - MOST) + " more" : "");
  const BANDS = ["critical", "high", "medium", "low"];
  const rank = (line) => {
    const at = BANDS.indexOf(line.node.querySelector(".chip").textContent.trim());
    return at < 0 ? BANDS.length : at; // a verdict: it is within the accepted level
  };
  const severe = (part) => [...part.lines].sort((one, other) => rank(one) - rank(other));
  const told = (part) => {
    about.replaceChildren();
    const head = created("p", "", "small");
    head.append(created("strong", part.title[0]));
    const inside = part.title.slice(1, part.ids.length).map((line) => line.split(" · ")[0]);
    const held = inside.filter((name) => !name.includes(" → ")); // without the flows between what a box stands for
    const number = part.ids.slice(1).filter((id) => !id.includes(":")).length;
    if (held.length) head.append(", with " + few(held, number));
    else if (inside.length) head.append(" and " + (part.ids.length - 1) + " more");
    about.append(head);
    const list = created("ul", "", "lines small");
    for (const line of severe(part).slice(0, MOST)) {
      const row = created("li", "");
      row.append(line.node.querySelector(".chip").cloneNode(true), " " + line.node.dataset.title + " ");
      list.append(row);
    }
    const every = new Set(part.lines.flatMap((line) => (line.node.dataset.controls || "").split("|")));
    const placed = (text) => /\((proven|attested|claimed)\)$/.test(text);
    const controls = [...every].filter(Boolean).sort((one, other) => placed(one) - placed(other));
    if (part.lines.length) {
      const row = created("p", "", "small");
      const link = created("a", "All findings here, with the lines they rely on");
      link.href = "#filter:" + new URLSearchParams({ element: part.name });
      link.addEventListener("click", () => setTimeout(followed)); // also where the address is the same already
      row.append(link);
      about.append(row);
    }
    about.append(part.lines.length ? list : created("p", "No finding.", "small soft"));
    if (controls.length) {
      const row = created("p", "", "small");
      row.append(created("span", "Controls: ", "state"), few(controls));
      about.append(row);
    }
    about.scrollTop = 0;
    const detail = document.getElementById("group-" + part.name) || document.getElementById("group-" + part.name.replace(/-narrow$/, ""));
    if (detail) {
      const link = created("a", "Show its functions one by one", "small");
      link.href = "#" + detail.id;
      about.append(link, " ");
    }
  };
  const chosen = (part) => {
    const field = form.elements.element;
    field.value = field.value === part.name ? "" : part.name;
    told(part);
    filter();
  };
  const ofSame = (one) => parts.filter((part) => part.picture === one.picture);
  const moved = (from, by) => {
    const own = ofSame(from);
    const to = own[(own.indexOf(from) + by + own.length) % own.length];
    for (const part of own) part.node.setAttribute("tabindex", part === to ? "0" : "-1");
    to.node.focus();
  };
  const keys = {
    ArrowRight: (part) => moved(part, 1),
    ArrowDown: (part) => moved(part, 1),
    ArrowLeft: (part) => moved(part, -1),
    ArrowUp: (part) => moved(part, -1),
    Home: (part) => moved(ofSame(part)[0], 0),
    End: (part) => moved(ofSame(part).pop(), 0),
    Enter: chosen,
    " ": chosen,
    Escape: () => form.reset(),
  };
  const placed = () => (wide.matches ? document.querySelector(".answer-grid") : document.getElementById("picture")).append(about);
  const beside = () => {
    const grid = document.querySelector(".answer-grid").getBoundingClientRect(); // where the words are scrolled away, but not the picture
    about.classList.toggle("beside", grid.top < -100 && document.getElementById("picture").getBoundingClientRect().bottom > 0);
  };
  const alive = () => {
    for (const picture of pictures) picture.setAttribute("role", "group");
    about.hidden = false;
    placed();
    wide.addEventListener("change", placed);
    addEventListener("scroll", beside, { passive: true });
    const worst = parts.find((part) => part.node.matches(".worst"));
    if (worst) told(worst);
    about.prepend(
      created("p", "Point at a part of the diagram to see its threats and controls; click it to filter the findings.", "small soft")
    );
    for (const path of document.querySelectorAll("#picture g.edge[data-of] > path, #picture g.cluster[data-of] > polygon")) {
      const wider = path.cloneNode(); // a line that a finger can hit
      for (const [name, value] of [["stroke", "transparent"], ["stroke-width", "14"], ["stroke-dasharray", "none"], ["fill", "none"]]) wider.setAttribute(name, value);
      path.after(wider);
    }
    parts.forEach((part) => {
      part.node.setAttribute("role", "button");
      part.node.setAttribute("tabindex", part === ofSame(part)[0] ? "0" : "-1");
      const written = [...part.node.querySelectorAll("text")].map((text) => text.textContent.trim()).join(" ");
      const number = part.lines.length + (part.lines.length === 1 ? " threat" : " threats");
      part.node.setAttribute("aria-label", written + " (" + part.title[0] + "), " + number);
      part.node.addEventListener("pointerenter", () => told(part));
      part.node.addEventListener("focus", () => told(part));
      part.node.addEventListener("click", () => chosen(part));
      part.node.addEventListener("keydown", (event) => {
        const act = event.ctrlKey || event.altKey || event.metaKey ? undefined : keys[event.key];
        if (act) {
          event.preventDefault();
          act(part);
        }
      });
    });
  };

  if (form) {
    form.hidden = false;
    if (parts.length) alive();
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    if (!location.hash.startsWith("#filter:")) filter();
  }
  addEventListener("hashchange", followed);
  followed();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details.item:not([open])")];
    for (const node of closed) node.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of closed) node.open = false;
  });
})();
