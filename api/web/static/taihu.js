// Refinements only: every page works without this file.

// Buttons that copy the text of another element.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  const source = document.getElementById(button.dataset.copy);
  if (!source) continue;
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "✓";
    } catch {
      getSelection().selectAllChildren(source); // at hand for the keyboard
    }
    setTimeout(() => { button.textContent = words; }, 1500);
  });
}

// An error summary takes the focus, so that it is read first.
document.getElementById("wrong")?.focus();

// A search box becomes a combobox: suggestions while somebody types, by kind. Without an
// answer, or without this, it stays the search box it is.
for (const form of document.querySelectorAll("form[data-suggest]")) {
  const input = form.querySelector("input[type=search]");
  const list = document.createElement("div");
  list.id = input.id + "-list";
  list.className = "suggestions";
  list.role = "listbox";
  list.ariaLabel = form.dataset.label;
  list.hidden = true;
  form.append(list);
  input.role = "combobox";
  input.autocomplete = "off";
  input.ariaAutoComplete = "list";
  input.setAttribute("aria-controls", list.id);
  input.ariaExpanded = "false";

  let timer, request, asked = "", chosen = -1;
  const options = () => list.querySelectorAll("[role=option]");

  const close = () => {
    clearTimeout(timer);
    request?.abort();
    list.hidden = true;
    input.ariaExpanded = "false";
    choose(-1);
  };
  const choose = (n) => {
    options()[chosen]?.setAttribute("aria-selected", "false");
    chosen = n;
    const option = options()[n];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const element = (name, attributes, ...children) => {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    e.append(...children);
    return e;
  };
  const show = (suggestions) => {
    list.replaceChildren();
    chosen = -1;
    let group, kind, n = 0;
    for (const s of suggestions) {
      if (s.kind !== kind) {
        kind = s.kind;
        const label = element("p", { id: `${list.id}-${kind}`, role: "presentation" }, form.dataset[kind] ?? kind);
        group = element("div", { role: "group", "aria-labelledby": label.id }, label);
        list.append(group);
      }
      const name = element("span", {}, ...s.text.map((part) => part.hit ? element("mark", {}, part.text) : part.text));
      const option = element("div", { id: `${list.id}-${n++}`, role: "option", "aria-selected": "false", "data-href": s.href }, name);
      if (s.count) option.append(" ", element("span", { class: "n" }, String(s.count)));
      group.append(option);
    }
    list.hidden = n === 0;
    input.ariaExpanded = String(n > 0);
    input.removeAttribute("aria-activedescendant");
  };
  const ask = async () => {
    const text = input.value.trim();
    asked = text;
    request?.abort();
    if (!text) return close();
    request = new AbortController();
    try {
      const answer = await fetch(form.dataset.suggest + "&q=" + encodeURIComponent(text.slice(0, 200)), { signal: request.signal });
      if (answer.ok) show((await answer.json()).suggestions);
    } catch {} // aborted, or the portal is away: the search itself will say so
  };
  const later = () => {
    clearTimeout(timer);
    if (input.value.trim() !== asked) timer = setTimeout(ask, 150);
  };

  // While characters are being composed their letters are nobody's question.
  let composing = false;
  input.addEventListener("compositionstart", () => { composing = true; clearTimeout(timer); });
  input.addEventListener("compositionend", () => { composing = false; later(); });
  input.addEventListener("input", () => { if (!composing) later(); });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const count = list.hidden ? 0 : options().length;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        event.preventDefault();
        if (count) { // from the text to the first or last, and round through the text again
          const n = chosen + (event.key === "ArrowDown" ? 1 : -1);
          choose(n < -1 ? count - 1 : n === count ? -1 : n);
        } else ask();
        break;
      case "Enter":
        if (count && chosen >= 0) {
          event.preventDefault();
          location.assign(options()[chosen].dataset.href);
        }
        break;
      case "Escape":
        if (count) {
          event.preventDefault();
          close();
        }
        break;
    }
  });
  input.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.href);
  });
}
