"use strict";
(() => {
  const root = document.documentElement;
  const KEY = "swapproto-language";
  const TAGS = ["en", "zh-CN"];
  const WIDEST = 32;

  const language = {
    shown: root.lang,
    remembered() {
      try { return sessionStorage.getItem(KEY); } catch { return null; }
    },
    remember(tag) {
      try { sessionStorage.setItem(KEY, tag); } catch { /* it is forgotten with the page */ }
    },
    /** What an element can hold in one language only is exchanged for what it says in the other. */
    apply() {
      if (this.shown !== root.lang) {
        for (const each of document.querySelectorAll("[data-other]"))
          [each.textContent, each.dataset.other] = [each.dataset.other, each.textContent];
        this.shown = root.lang;
      }
      for (const each of document.querySelectorAll("[data-language]"))
        each.setAttribute("aria-pressed", String(each.dataset.language === root.lang));
    },
  };
  root.classList.add("live");
  if (TAGS.includes(language.remembered())) root.lang = language.remembered();

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

  function filterCases(form) {
    const cases = [...document.querySelectorAll("#cases details.case")];
    const texts = new Map();
    const text = (each) => {
      if (!texts.has(each)) texts.set(each, each.textContent.toLowerCase());
      return texts.get(each);
    };
    function filter() {
      const verdicts = [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value);
      const role = form.elements.role.value;
      const phase = form.elements.phase.value;
      const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const each of cases) {
        const fits =
          each.dataset.verdicts.split(" ").some((verdict) => verdicts.includes(verdict)) &&
          (!role || each.dataset.role === role) &&
          (!phase || each.dataset.phase === phase) &&
          words.every((word) => text(each).includes(word));
        each.classList.toggle("filtered", !fits);
        shown += fits;
      }
      form.querySelector(".shown").textContent = shown;
    }
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("change", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("click", (event) => {
      const button = event.target.closest("button[name]");
      if (!button) return;
      for (const each of cases) if (!each.classList.contains("filtered")) each.open = button.name === "open";
    });
    filter();
  }

  /** Time is stretched; words keep their shape, and those at the left stay in sight. */
  function zoomable(region) {
    const drawing = region.querySelector("svg");
    if (!drawing) return;
    const bar = document.getElementById("zoom").content.firstElementChild.cloneNode(true);
    let factor = 1, whole = null;
    function zoom(wanted, middle = region.clientWidth / 2) {
      const next = Math.min(Math.max(wanted, 1), WIDEST);
      if (next === 1) {
        region.classList.remove("zoomed");
        factor = 1;
        return;
      }
      if (factor === 1) whole = drawing.getBoundingClientRect();
      const place = (region.scrollLeft + middle) / factor;
      factor = next;
      region.style.setProperty("--wide", `${whole.width * factor}px`);
      region.style.setProperty("--tall", `${whole.height}px`);
      region.style.setProperty("--narrow", 1 / factor);
      region.classList.add("zoomed");
      region.scrollLeft = place * factor - middle;
      pan();
    }
    function pan() {
      if (factor === 1) return;
      const unit = drawing.viewBox.baseVal.width / (whole.width * factor);
      region.style.setProperty("--panned", `${region.scrollLeft * unit}px`);
    }
    const to = { in: () => zoom(factor * 2), out: () => zoom(factor / 2), whole: () => zoom(1) };
    const keys = { "+": to.in, "=": to.in, "-": to.out, 0: to.whole };
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom]");
      if (button) to[button.dataset.zoom]();
    });
    region.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
      event.preventDefault();
      keys[event.key]();
    });
    region.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(factor * 2 ** (-event.deltaY / 200), event.clientX - region.getBoundingClientRect().left);
    }, { passive: false });
    region.addEventListener("scroll", pan);
    region.before(bar);
  }

  addEventListener("DOMContentLoaded", () => {
    language.apply();
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-language]");
      if (button) {
        root.lang = button.dataset.language;
        language.remember(root.lang);
        language.apply();
      }
      const link = event.target.closest("a[href^='#']");
      if (link && link.hash === location.hash) reveal();
    });
    const form = document.querySelector("form.filter");
    if (form) filterCases(form);
    document.querySelectorAll(".zoomable").forEach(zoomable);
    addEventListener("hashchange", reveal);
    reveal();
  });
})();
