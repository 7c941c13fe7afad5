// Runs: two of the table are chosen and compared.
const form = document.getElementById("compare");
const boxes = [...document.querySelectorAll("#runs input[type=checkbox]")];

function choose(changed) {
  const chosen = boxes.filter((box) => box.checked);
  if (chosen.length > 2) chosen.find((box) => box !== changed).checked = false;
  const [a, b] = boxes.filter((box) => box.checked).map((box) => box.value);
  form.elements.a.value = a ?? "";
  form.elements.b.value = b ?? "";
  form.querySelector("button").disabled = !b;
  document.getElementById("chosen").textContent = b ? `${a} and ${b}` : a ? `${a}, and one more` : "Choose two runs to compare them.";
}

for (const box of boxes) box.addEventListener("change", () => choose(box));
