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
