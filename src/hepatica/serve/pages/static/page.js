// Page: what every page needs: the token of the session on each request, sortable tables, filters of tables.

export const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:config:request", (event) => {
  const context = event.detail.ctx;
  if (context?.request?.headers) context.request.headers["X-CSRF-Token"] = token;
});

// A busy server may leave a question about progress unanswered; htmx would not ask again.
document.addEventListener("htmx:error", (event) => {
  if (event.target.id === "progress") setTimeout(() => location.reload(), 3000);
});

/** Ask the server; an answer that is an error is thrown with its message. */
export async function ask(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { "X-CSRF-Token": token, ...(options.headers ?? {}) } });
  if (answer.ok) return answer;
  const text = await answer.text();
  let message = text.length < 300 && !text.startsWith("<") ? text : `the server answered ${answer.status}`;
  try {
    const found = JSON.parse(text);
    message = found.message ?? found.detail ?? message;
  } catch { /* no JSON: the text is the message */ }
  const error = new Error(typeof message === "string" ? message : JSON.stringify(message));
  error.status = answer.status;
  throw error;
}

/** Data that the server has put into the page as JSON. */
export function data(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

function key(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? text.toLowerCase() : number;
}

function compare(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}

function sort(table, column, button) {
  const descending = button.closest("th").getAttribute("aria-sort") === "ascending";
  for (const header of table.tHead.querySelectorAll("th")) header.removeAttribute("aria-sort");
  button.closest("th").setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => (descending ? -1 : 1) * compare(key(a.cells[column]), key(b.cells[column])));
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  table.querySelectorAll("thead th").forEach((header, column) => {
    if (!header.textContent.trim() || header.dataset.plain !== undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(table, column, button));
  });
}

for (const box of document.querySelectorAll("input[data-filters]")) {
  const table = document.getElementById(box.dataset.filters);
  const said = document.getElementById(`${box.dataset.filters}-count`);
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    if (said) said.textContent = `${shown} of ${table.tBodies[0].rows.length} shown`;
  });
}

document.getElementById("sign-out")?.addEventListener("click", async () => {
  await ask("/api/v1/session", { method: "DELETE" });
  location.assign("/sign-in");
});

document.documentElement.dataset.ready = "page";
