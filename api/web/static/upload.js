// Uploads that survive. Files go to the portal in pieces by the tus protocol, one
// file after the other. After a break, a pause, or when the page was loaded again
// and the same file chosen, they go on from the last byte the portal acknowledged.
// Without this file the form sends its files as any form does.

const piece = 4 << 20;
const kept = 24 * 3600e3; // how long the portal keeps an unfinished upload
const memory = "taihu-upload|";
const zh = document.documentElement.lang.startsWith("zh");
const say = (chinese, english) => (zh ? chinese : english);
const size = (n) => (n < 1e6 ? `${Math.ceil(n / 1e3)} KB` : `${(n / 1e6).toFixed(1)} MB`);
const wait = (ms) => new Promise((go) => { setTimeout(go, ms); addEventListener("online", go, { once: true }); });
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// ask sends a request. It fails with a problem of the portal, which has a status,
// or without one where the connection broke.
function ask(method, url, headers, body, item) {
  return new Promise((good, bad) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries({ Accept: "application/json", "Tus-Resumable": "1.0.0", ...headers })) request.setRequestHeader(name, value);
    const broken = () => bad(new Error(say("连接断了", "The connection broke")));
    request.addEventListener("error", broken);
    request.addEventListener("abort", broken);
    request.addEventListener("load", () => {
      if (request.status < 400 && request.status > 0) return good(request);
      let problem = {};
      try { problem = JSON.parse(request.responseText); } catch { /* a proxy's page */ }
      const e = new Error((zh && problem.detail_zh) || problem.detail || `${request.status}`);
      bad(Object.assign(e, { status: request.status, code: problem.code }));
    });
    if (item) {
      item.request = request;
      request.upload.addEventListener("progress", (e) => item.show(item.at + e.loaded));
    }
    request.send(body);
  });
}

// passes reports whether trying again can help.
const passes = (e) => !e.status || e.status >= 500 && e.status !== 507 || [408, 409, 429, 460].includes(e.status) && e.code !== "wrong_state" || e.code === "broken_upload";

function setUp(form) {
  const picker = form.querySelector("input[type=file]");
  const area = form.querySelector(".drop");
  const list = form.querySelector("[data-list]");
  const button = form.querySelector("button[type=submit]");
  const voice = form.querySelector("[data-say]");
  const place = form.dataset.draft || form.dataset.begin;
  const items = [];
  let draft = form.dataset.draft || "";
  let busy = false;

  const keyOf = (file) => memory + [place, file.name, file.size, file.lastModified].join("|");
  const recall = (key) => {
    try {
      const found = JSON.parse(localStorage.getItem(key));
      if (found && Date.now() - found.when < kept) return found;
      localStorage.removeItem(key);
    } catch { /* no storage: then a reload begins anew */ }
    return null;
  };
  const keep = (item) => {
    try { localStorage.setItem(item.key, JSON.stringify({ name: item.file.name, url: item.url, draft, at: item.at, size: item.file.size, when: Date.now() })); } catch { /* as above */ }
  };
  const forget = (item) => {
    try { localStorage.removeItem(item.key); } catch { /* as above */ }
  };

  function add(file) {
    const key = keyOf(file);
    if (items.some((i) => i.key === key)) return;
    if (!busy) window.stop(); // a page that loads itself again would break the upload off
    const before = recall(key);
    const item = { file, key, url: before?.url || "", at: before?.at || 0, asked: false, state: "waiting" };
    const row = document.createElement("li");
    row.className = "up-row";
    const name = document.createElement("span");
    name.textContent = file.name;
    const acts = document.createElement("span");
    acts.className = "row";
    const act = (words, what) => {
      const b = document.createElement("button");
      b.type = "button";
      b.className = "btn tiny";
      b.textContent = words;
      b.setAttribute("aria-label", `${words} ${file.name}`);
      b.addEventListener("click", what);
      acts.append(b);
      return b;
    };
    const pause = act(say("暂停", "Pause"), () => {
      item.paused = !item.paused;
      const words = item.paused ? say("继续", "Resume") : say("暂停", "Pause");
      pause.textContent = words;
      pause.setAttribute("aria-label", `${words} ${file.name}`);
      if (item.paused) {
        item.wake = new Promise((go) => { item.go = go; });
        item.request?.abort();
        item.tell(say("已暂停", "Paused"), true);
      } else item.go();
    });
    pause.hidden = true;
    act(say("移除", "Remove"), () => {
      item.state = "removed";
      item.request?.abort();
      item.go?.();
      if (item.url) ask("DELETE", item.url).catch(() => { /* it expires */ });
      forget(item);
      items.splice(items.indexOf(item), 1);
      row.remove();
      (items.length ? list.querySelector("button:not([hidden])") : picker).focus();
    });
    const bar = document.createElement("progress");
    bar.max = file.size || 1;
    bar.setAttribute("aria-label", file.name);
    const line = document.createElement("span");
    line.className = "say";
    item.show = (at) => {
      bar.value = file.size ? at : item.state === "done" ? 1 : 0;
      if (item.state === "sending") line.textContent = `${size(at)} / ${size(file.size)}`;
    };
    item.tell = (words, aloud) => {
      line.textContent = words;
      if (aloud) voice.textContent = `${file.name}: ${words}`;
    };
    item.mark = (state) => {
      item.state = state;
      pause.hidden = state !== "sending";
      acts.hidden = state === "done";
    };
    row.append(name, acts, bar, line);
    list.append(row);
    list.hidden = false;
    items.push(item);
    item.show(item.at);
    item.tell(before ? say(`已传${size(item.at)}，接着传`, `${size(item.at)} are there; goes on from them`) : size(file.size));
  }

  const metadata = (file) => {
    const said = { filename: file.name };
    if (file.type) said.filetype = file.type;
    for (const name of ["sheet", "header_row", "header_rows", "totals", "merged", "path", "delimiter", "encoding", "table", "zone", "null_words", "mode"]) {
      const value = form.elements[name]?.value.trim();
      if (value) said[name] = value;
    }
    return Object.entries(said).map(([k, v]) => `${k} ${base64(v)}`).join(",");
  };

  async function send(item) {
    item.mark("sending");
    for (let tries = 0; item.state === "sending";) {
      try {
        if (item.paused) await item.wake;
        if (!item.url) {
          const made = await ask("POST", `/api/v1/drafts/${draft}/uploads`, { "Upload-Length": item.file.size, "Upload-Metadata": metadata(item.file) });
          Object.assign(item, { url: made.getResponseHeader("Location"), at: 0, asked: true });
        } else if (!item.asked) {
          item.at = Number((await ask("HEAD", item.url)).getResponseHeader("Upload-Offset"));
          item.asked = true;
        }
        while (item.at < item.file.size && item.state === "sending" && !item.paused) {
          item.show(item.at);
          const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": item.at };
          item.at = Number((await ask("PATCH", item.url, headers, item.file.slice(item.at, item.at + piece), item)).getResponseHeader("Upload-Offset"));
          tries = 0;
          keep(item);
        }
        if (item.at >= item.file.size) return item.mark("done");
      } catch (e) {
        item.asked = false;
        if (item.paused || item.state !== "sending") continue;
        if (item.url && (e.status === 404 || e.status === 410)) { // expired, or its draft is another
          forget(item);
          item.url = "";
          if (e.status === 404 && tries++ < 2) continue;
        }
        if (!passes(e) || tries > 100) {
          item.mark("failed");
          return item.tell(e.message, true);
        }
        tries++;
        item.tell(say(`${e.message}，正在重试`, `${e.message}. Trying again`), tries === 1);
        await wait(Math.min(500 * 2 ** tries, 10000));
      }
    }
  }

  // begin makes the draft, unless a file was on its way into one already.
  async function begin() {
    for (const item of items) draft ||= recall(item.key)?.draft || "";
    if (draft) {
      try {
        const { state } = JSON.parse((await ask("GET", `/api/v1/drafts/${draft}`)).responseText);
        if (["uploading", "checking", "rejected", "ready", "returned"].includes(state)) return;
      } catch (e) {
        if (e.status !== 404) throw e;
      }
      for (const item of items) Object.assign(item, { url: "", at: 0 });
    }
    const value = (name) => form.elements[name]?.value.trim() || "";
    const body = { version: value("version"), data_date: value("data_date"), notes: { zh: value("notes_zh"), en: value("notes_en") }, like_latest: value("like") === "latest" };
    draft = JSON.parse((await ask("POST", form.dataset.begin, { "Content-Type": "application/json" }, JSON.stringify(body))).responseText).id;
  }

  async function run() {
    busy = button.disabled = true;
    try {
      await begin();
      for (const item of items) if (item.state === "failed") item.state = "waiting";
      for (let item; (item = items.find((i) => i.state === "waiting"));) { // also those added meanwhile
        await send(item);
        if (item.state !== "done") continue;
        forget(item);
        item.show(item.file.size);
        item.tell(say("已传完", "Done"), true);
      }
      if (items.length && items.every((i) => i.state === "done")) location.assign(`${form.dataset.to}${draft}?done=uploaded`);
    } catch (e) {
      voice.textContent = e.message;
    }
    busy = button.disabled = false;
  }

  picker.addEventListener("change", () => {
    for (const file of picker.files) add(file);
    picker.value = "";
  });
  for (const name of ["dragenter", "dragover"]) area.addEventListener(name, (e) => { e.preventDefault(); area.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, (e) => { e.preventDefault(); area.classList.remove("over"); });
  area.addEventListener("drop", (e) => {
    for (const item of e.dataTransfer.items) { // a folder has no bytes
      const file = item.kind === "file" && !item.webkitGetAsEntry?.()?.isDirectory && item.getAsFile();
      if (file) add(file);
    }
  });
  form.addEventListener("submit", (e) => {
    if (busy) e.preventDefault();
    if (busy || !items.length) return; // nothing chosen: the portal says so
    e.preventDefault();
    run();
  });

  // What was left unfinished here is told, so that the same file is chosen again.
  const left = Object.keys({ ...localStorage }).filter((k) => k.startsWith(`${memory}${place}|`)).map(recall).filter(Boolean);
  if (left.length) {
    const names = left.map((f) => `${f.name} (${Math.floor(100 * f.at / f.size)}%)`).join(say("、", ", "));
    voice.textContent = say(`没传完：${names}。再选同一个文件就接着传。`, `Unfinished: ${names}. Choose the same file again to go on.`);
  }
}

for (const form of document.querySelectorAll("form[data-upload]")) setUp(form);
