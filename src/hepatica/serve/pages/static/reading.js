// Reading: the time of a call runs from when the images are whole; without a viewer, from when the page is.
const form = document.getElementById("call");
let begun = null;

function whole() {
  const viewers = [...document.querySelectorAll("[data-slide], [data-volume], [data-spectrum]")];
  return viewers.every((each) => each.dataset.ready);
}

const watch = setInterval(() => {
  if (!whole()) return;
  clearInterval(watch);
  begun = performance.now();
  document.documentElement.dataset.reading = "begun";
}, 50);

form.addEventListener("submit", () => {
  form.elements.seconds.value = begun === null ? 0 : ((performance.now() - begun) / 1000).toFixed(2);
});
