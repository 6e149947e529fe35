let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Says a sentence to everyone: read out by screen readers, and shown for some seconds unless it is only `heard`.
 * Behind an open dialog nothing is read or seen, so it is said inside the dialog.
 */
export function announce(text: string, { heard = false } = {}): void {
  const region = document.querySelector("dialog[open] .announcer") ?? document.querySelector(".announcer");
  if (!region) return;
  region.textContent = "";
  region.classList.toggle("heard", heard);
  clearTimeout(timer);
  requestAnimationFrame(() => {
    region.textContent = text;
    timer = setTimeout(() => {
      region.textContent = "";
    }, 6000);
  });
}
