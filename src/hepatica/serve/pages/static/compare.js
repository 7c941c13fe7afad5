// Compare: the ROC curves of two runs over each other.
import { data } from "/static/page.js";

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(box, found) {
  const axis = { stroke: style("--ink"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line") } };
  const [a, b] = found.lines;
  return new uPlot({
    width: box.clientWidth, height: box.clientWidth, legend: { show: false }, cursor: { show: false },
    scales: { x: { time: false, range: [0, 1] }, y: { range: [0, 1] } },
    axes: [{ ...axis, label: "1 − specificity" }, { ...axis, label: "sensitivity" }],
    series: [
      { label: "1 − specificity" },
      { label: "a", stroke: style("--chart"), width: 2, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
      { label: "b", stroke: style("--alert"), width: 2, dash: [7, 4], points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
      { label: "chance", stroke: style("--quiet"), width: 1, dash: [2, 4], points: { show: false } },
    ],
  }, [found.x, a, b, found.x], box);
}

const boxes = [...document.querySelectorAll("[data-curve]")];
if (boxes.length) {
  const curves = data("curves");
  for (const box of boxes) {
    const plot = draw(box, curves[Number(box.dataset.curve)]);
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: box.clientWidth })).observe(box);
  }
}
document.documentElement.dataset.ready = "curves";
