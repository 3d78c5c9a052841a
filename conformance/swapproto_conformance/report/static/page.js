"use strict";
(() => {
  const cases = [...document.querySelectorAll("#cases details.case")];
  const form = document.querySelector("form.filter");

  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let each = target; each; each = each.parentElement) {
      if (each.tagName === "DETAILS") each.open = true;
      each.classList.remove("filtered");
    }
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal();
  });
  reveal();

  if (!form) return;
  const texts = new Map();
  const text = (each) => {
    if (!texts.has(each)) texts.set(each, each.textContent.toLowerCase());
    return texts.get(each);
  };
  function filter() {
    const verdicts = [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value);
    const role = form.elements.role.value;
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of cases) {
      const fits =
        each.dataset.verdicts.split(" ").some((verdict) => verdicts.includes(verdict)) &&
        (!role || each.dataset.role === role) &&
        words.every((word) => text(each).includes(word));
      each.classList.toggle("filtered", !fits);
      shown += fits;
    }
    form.querySelector(".shown").textContent = shown;
  }
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    if (event.target.name !== "open" && event.target.name !== "close") return;
    for (const each of cases) if (!each.classList.contains("filtered")) each.open = event.target.name === "open";
  });
  filter();
})();
