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

// Upload forms show how far they are.
for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    const file = form.querySelector("input[type=file]");
    const box = form.querySelector("[data-progress]");
    if (!file?.files.length || !box) return;
    event.preventDefault();
    const bar = box.querySelector("progress");
    const say = box.querySelector("p");
    const button = form.querySelector("button[type=submit]");
    const request = new XMLHttpRequest();
    const begun = Date.now();
    box.hidden = false;
    button.disabled = true;
    request.upload.addEventListener("progress", (e) => {
      if (!e.lengthComputable) return;
      const share = e.loaded / e.total;
      bar.value = 100 * share;
      const left = (Date.now() - begun) / share * (1 - share) / 1000;
      say.textContent = `${(e.loaded / 1e6).toFixed(1)} / ${(e.total / 1e6).toFixed(1)} MB` + (share < 1 && left > 2 ? ` · ${Math.ceil(left)} s` : "");
    });
    request.addEventListener("load", () => {
      if (request.status < 400) {
        location.assign(request.responseURL);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const main = page.querySelector("main");
      if (main) document.querySelector("main").replaceWith(main);
      document.getElementById("wrong")?.focus();
    });
    request.addEventListener("error", () => {
      button.disabled = false;
      say.textContent = document.documentElement.lang.startsWith("zh") ? "上传中断，请再试一次。" : "The upload broke off. Try again.";
    });
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.send(new FormData(form));
  });
}
