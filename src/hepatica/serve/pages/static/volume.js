// Volume: a CT or MR study in NiiVue, in radiological convention, with saliency and segmentation over it.
import { ask } from "/static/page.js";

const WINDOWS = { "soft tissue": [-160, 240], liver: [-15, 145], lung: [-1350, 150], bone: [-450, 1050] };
const LOOKS = {
  saliency: { colormap: "inferno", opacity: 0.6, cal_min: 20, cal_max: 100, threshold: 20 },
  segmentation: { colormap: "violet", opacity: 0.4, cal_min: 0.5, cal_max: 2 },
  "flagged region": { colormap: "red", opacity: 0.35, cal_min: 0.5, cal_max: 1 },
};

function option(value, text = value) {
  const found = document.createElement("option");
  Object.assign(found, { value, textContent: text });
  return found;
}

class Viewer {
  constructor(root, url, about) {
    Object.assign(this, { root, url, about, number: about.series[0].number });
    this.nv = new niivue.Niivue({
      isRadiologicalConvention: true, backColor: [0, 0, 0, 1], show3Dcrosshair: false, dragAndDropEnabled: false,
      isColorbar: false, crosshairWidth: 0, crosshairColor: [0.45, 0.75, 1, 0.6], logLevel: "error", loadingText: "",
    });
    this.nv.onLocationChange = () => this.readSlice();
  }

  get(name) { return this.root.querySelector(`[data-set="${name}"]`); }

  get series() { return this.about.series.find((each) => each.number === this.number); }

  async load() {
    delete this.root.dataset.ready;
    const file = `${this.url}/${this.number}.nii.gz`;
    const window = this.about.kind === "ct" ? WINDOWS[this.get("window").value] : null;
    const scan = { url: file, name: "scan.nii.gz", colormap: "gray", ...(window ? { cal_min: window[0], cal_max: window[1] } : {}) };
    const laid = this.series.overlays.map((name) => ({ url: `${file}?overlay=${encodeURIComponent(name)}`, name: `${name}.nii.gz`, ...LOOKS[name] }));
    await this.nv.loadVolumes([scan, ...laid]);
    this.view();
    this.drawOverlays();
    this.root.dataset.ready = "volume";
  }

  /** Index of the axis that the chosen view goes through, in voxels of the scan. */
  get axis() { return { sagittal: 0, coronal: 1 }[this.get("view").value] ?? 2; }

  view() {
    const kinds = { axial: this.nv.sliceTypeAxial, coronal: this.nv.sliceTypeCoronal, sagittal: this.nv.sliceTypeSagittal, multiplanar: this.nv.sliceTypeMultiplanar };
    this.nv.setCrosshairWidth(this.get("view").value === "multiplanar" ? 0.4 : 0);
    this.nv.setSliceType(kinds[this.get("view").value]);
    this.get("slice").max = this.nv.volumes[0].dimsRAS[this.axis + 1];
    this.readSlice();
  }

  window() {
    if (this.about.kind !== "ct") return;
    [this.nv.volumes[0].cal_min, this.nv.volumes[0].cal_max] = WINDOWS[this.get("window").value];
    this.nv.updateGLVolume();
  }

  slice() {
    const slider = this.get("slice");
    const place = [...this.nv.scene.crosshairPos];
    place[this.axis] = (Number(slider.value) - 0.5) / Number(slider.max);
    this.nv.scene.crosshairPos = place;
    this.nv.drawScene();
    this.readSlice();
  }

  readSlice() {
    const slider = this.get("slice");
    const at = Math.floor(this.nv.scene.crosshairPos[this.axis] * Number(slider.max)) + 1;
    slider.value = Math.min(at, Number(slider.max));
    slider.nextElementSibling.textContent = `${slider.value} of ${slider.max}`;
  }

  drawOverlays() {
    const box = this.root.querySelector(".overlays");
    box.replaceChildren(...this.series.overlays.flatMap((name, place) => this.overlay(name, place + 1)));
    box.hidden = !this.series.overlays.length;
    this.root.querySelector(".none").hidden = this.root.dataset.plain !== undefined || this.series.overlays.length > 0;
  }

  overlay(name, place) {
    const opacity = this.slider(`${name}, opacity`, [0, 1, 0.05, LOOKS[name].opacity], (value) => this.nv.setOpacity(place, value));
    if (!LOOKS[name].threshold) return [opacity];
    const threshold = this.slider(`${name} from`, [0, 1, 0.05, LOOKS[name].threshold / 100], (value) => {
      this.nv.volumes[place].cal_min = Math.max(100 * value, 0.5);
      this.nv.updateGLVolume();
    });
    return [opacity, threshold];
  }

  slider(text, [min, max, step, value], act) {
    const [label, input, output] = ["label", "input", "output"].map((each) => document.createElement(each));
    Object.assign(input, { type: "range", min, max, step, value });
    output.textContent = value.toFixed(2);
    input.dataset.overlay = text;
    input.addEventListener("input", () => {
      output.textContent = Number(input.value).toFixed(2);
      act(Number(input.value));
      this.root.dataset.overlay = `${text} ${input.value}`;
    });
    label.append(`${text} `, input, output);
    return label;
  }
}

async function show(root) {
  const url = root.dataset.volume;
  const about = await (await ask(`${url}.json`)).json();
  if (root.dataset.plain !== undefined) for (const each of about.series) each.overlays = []; // read without the model
  const viewer = new Viewer(root, url, about);
  viewer.get("series").append(...about.series.map((each) => option(each.number, each.name)));
  viewer.get("window").append(...Object.keys(WINDOWS).map((name) => option(name)));
  root.querySelector(".hounsfield").hidden = about.kind !== "ct";
  await viewer.nv.attachToCanvas(root.querySelector("canvas"));
  viewer.get("series").addEventListener("change", (event) => { viewer.number = Number(event.target.value); fail(root, viewer.load()); });
  viewer.get("view").addEventListener("change", () => viewer.view());
  viewer.get("window").addEventListener("change", () => viewer.window());
  viewer.get("slice").addEventListener("input", () => viewer.slice());
  root.viewer = viewer;
  await viewer.load();
}

function fail(root, promise) {
  promise.catch((error) => {
    const problem = root.querySelector(".problem");
    problem.textContent = `The study cannot be shown: ${error.message ?? error}`;
    problem.hidden = false;
    root.dataset.ready = "problem";
  });
}

for (const root of document.querySelectorAll("[data-volume]")) fail(root, show(root));
