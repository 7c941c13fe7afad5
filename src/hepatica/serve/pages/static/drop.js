// Drop: files are announced by their SHA-256, sent in pieces, resumed after an interruption, and become one case.
import { sha256 } from "/static/vendor/hashes/sha2.js";
import { ask } from "/static/page.js";

const HASHED = 4 * 2 ** 20; // bytes that are hashed at once, so that the page stays alive
const TRIES = 6;
const KINDS = { slide: "slide", volume: "volume", dicom: "DICOM", spectrum: "spectrum", picture: "picture", archive: "archive", table: "table", unknown: "of an unknown kind" };
const at = (id) => document.getElementById(id);
const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const batch = { files: [], sent: 0, total: 0, whole: false };

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Files of what was dropped, folders too. */
async function within(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return found;
    for (const each of some) found.push(...await within(each));
  }
}

async function digest(file, act) {
  const hash = sha256.create();
  for (let place = 0; place < file.size; place += HASHED) {
    hash.update(new Uint8Array(await file.slice(place, place + HASHED).arrayBuffer()));
    act(Math.min(place + HASHED, file.size));
  }
  return [...hash.digest()].map((each) => each.toString(16).padStart(2, "0")).join("");
}

/** Send what the server has not yet; after a broken connection it says how much is there. */
async function send(one) {
  for (let tries = 0; one.state.received < one.file.size;) {
    const { received, piece, upload_id: id } = one.state;
    try {
      const body = one.file.slice(received, received + piece);
      const headers = { "Upload-Offset": String(received), "Content-Type": "application/octet-stream" };
      one.state = await (await ask(`/api/v1/uploads/${id}`, { method: "PATCH", headers, body })).json();
      tries = 0;
    } catch (error) {
      tries += 1;
      if (tries >= TRIES || (error.status && error.status !== 409 && error.status < 500)) throw error;
      say(one, "interrupted, trying again");
      await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
      one.state = await (await ask(`/api/v1/uploads/${id}`)).json().catch(() => one.state);
    }
    progress(one, one.state.received);
  }
}

function progress(one, received) {
  batch.sent += received - one.counted;
  one.counted = received;
  at("progress").value = batch.total ? batch.sent / batch.total : 0;
}

function say(one, text) { one.row.cells[3].textContent = text; }

async function upload(one) {
  say(one, "checking");
  const sum = await digest(one.file, (done) => say(one, `checking ${Math.round(100 * done / one.file.size)}%`));
  const about = { name: one.file.name, size: one.file.size, sha256: sum };
  one.state = await (await ask("/api/v1/uploads", json(about))).json();
  one.row.cells[2].textContent = KINDS[one.state.kind] ?? one.state.kind;
  choose();
  say(one, one.state.received ? "going on" : "sending");
  progress(one, one.state.received);
  await send(one);
  say(one, "sent");
}

/** Offer the models that read these kinds; choose it where there is one alone. */
function choose() {
  const kinds = [...new Set(batch.files.filter((each) => each.state).map((each) => each.state.kind))];
  const fitting = [];
  for (const option of at("run").options) {
    if (!option.value) continue;
    const reads = option.dataset.reads.split(" ");
    option.disabled = !kinds.every((kind) => reads.includes(kind));
    if (!option.disabled) fitting.push(option.value);
  }
  if (at("run").selectedOptions[0]?.disabled) at("run").value = "";
  if (fitting.length === 1 && !at("run").value) [at("run").value] = fitting;
  at("why").hidden = fitting.length > 0;
  at("why").textContent = `No model here reads ${kinds.map((kind) => KINDS[kind] ?? kind).join(" and ")}. Choose other files, or train a model that does.`;
  ready();
}

function ready() {
  at("go").disabled = !(batch.whole && at("run").value);
  document.documentElement.dataset.drop = batch.whole ? "whole" : "sending";
}

function problem(error) {
  at("problem").textContent = `${error.message}. Choose “Begin anew” and drop the same files to go on where it was.`;
  at("problem").hidden = false;
}

async function take(files) {
  if (!files.length || batch.files.length) return;
  batch.files = files.map((file) => {
    const row = at("list").insertRow();
    for (const text of [file.name, size(file.size), "", "waiting"]) row.insertCell().textContent = text;
    return { file, row, counted: 0, state: null };
  });
  batch.total = files.reduce((sum, file) => sum + file.size, 0);
  at("submit").hidden = false;
  at("said").textContent = `${files.length} file${files.length > 1 ? "s" : ""}, ${size(batch.total)}`;
  try {
    for (const one of batch.files) await upload(one);
    batch.whole = true;
    ready();
  } catch (error) {
    problem(error);
  }
}

async function submit(event) {
  event.preventDefault();
  at("go").disabled = true;
  try {
    const asked = { run: at("run").value, uploads: batch.files.map((each) => each.state.upload_id), label: at("label").value };
    const found = await (await ask("/api/v1/cases", json(asked))).json();
    location.assign(`/cases/${found.case_id}`);
  } catch (error) {
    problem(error);
    ready();
  }
}

const box = at("drop");
if (box) {
  for (const name of ["dragenter", "dragover"]) box.addEventListener(name, (event) => { event.preventDefault(); box.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) box.addEventListener(name, () => box.classList.remove("over"));
  box.addEventListener("drop", async (event) => {
    event.preventDefault();
    const entries = [...event.dataTransfer.items].map((each) => each.webkitGetAsEntry()).filter(Boolean);
    take((await Promise.all(entries.map(within))).flat());
  });
  for (const id of ["files", "folder"]) at(id).addEventListener("change", () => take([...at(id).files]));
  at("run").addEventListener("change", ready);
  at("submit").addEventListener("submit", submit);
  at("anew").addEventListener("click", () => location.reload());
}
