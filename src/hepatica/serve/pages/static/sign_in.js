// Sign in: name and password go to the programming interface, which gives the browser its session.
import { ask } from "/static/page.js";

const form = document.getElementById("sign-in");
form.querySelector("button").disabled = false; // without this script, a browser would send the password as it pleases

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = document.getElementById("problem");
  problem.hidden = true;
  try {
    const given = { name: form.elements.name.value, password: form.elements.password.value };
    await ask("/api/v1/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) });
    location.assign("/");
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
});
