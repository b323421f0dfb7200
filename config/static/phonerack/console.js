/* Lists and parts that bring themselves up to date without losing what is ticked, screen dumps shown as text, options of scripts. */
"use strict";
(() => {
  const keyOf = (body) => {
    const box = body.querySelector("input.action-select");
    return box ? box.value : body.querySelector("a")?.getAttribute("href");
  };
  const cellsOf = (body) => [...body.querySelectorAll("tr.data-row > *")].filter((cell) => !cell.classList.contains("action-checkbox"));

  /* Writes a fresh row into the shown one; elements that did not change stay as they are. */
  const renew = (shown, fresh) => {
    const from = cellsOf(fresh);
    cellsOf(shown).forEach((cell, i) => {
      if (!from[i] || cell.dataset.last === from[i].innerHTML) return;
      const changed = cell.dataset.last !== undefined || cell.innerHTML.trim() !== from[i].innerHTML.trim();
      cell.dataset.last = from[i].innerHTML;
      if (!changed) return;
      cell.innerHTML = from[i].innerHTML;
      window.htmx?.process(cell);
    });
    const box = shown.querySelector("input.action-select");
    if (box) box.value = keyOf(fresh);
  };

  /* Whether somebody is writing a search or choosing a filter. */
  const isBusy = () => document.activeElement?.matches("input, select, textarea") ?? false;

  const merge = (table, fresh, news) => {
    const shown = [...table.tBodies], next = fresh ? [...fresh.tBodies] : [];
    const same = shown.length === next.length && shown.every((body, i) => keyOf(body) === keyOf(next[i]));
    const ticked = table.querySelector("input.action-select:checked") !== null || isBusy();
    if (same || (!ticked && shown.length === next.length)) {
      shown.forEach((body, i) => renew(body, next[i]));
      news.hidden = true;
      return;
    }
    const byKey = new Map(next.map((body) => [keyOf(body), body]));
    shown.forEach((body) => byKey.has(keyOf(body)) && renew(body, byKey.get(keyOf(body))));
    news.hidden = false;
    if (!ticked) location.reload();
  };

  const refresh = async (news) => {
    const table = document.getElementById("result_list");
    if (document.hidden) return;
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("result_list");
    if (table) merge(table, fresh, news);
    else if (fresh) location.reload();
  };

  const watchList = (news) => {
    const wait = Number(news.dataset.liveList) * 1000;
    const again = () => refresh(news).catch(() => {}).finally(() => setTimeout(again, wait));
    setTimeout(again, wait);
  };

  /* As text, never as markup: a screen dump comes from a phone. */
  const fillTexts = () =>
    document.querySelectorAll("[data-text-from]:empty").forEach(async (place) => {
      const answer = await fetch(place.dataset.textFrom);
      if (answer.ok) place.textContent = (await answer.text()).replaceAll("><", ">\n<");
    });

  /* In the form of a campaign: the options of the chosen script, and no other's. */
  const showOptions = (chosen) =>
    document.querySelectorAll("fieldset.pr-options").forEach((set) => {
      set.hidden = !set.classList.contains(`pr-options-${chosen}`);
    });
  const watchScript = () => {
    const script = document.querySelector("select[name=script]");
    if (!script) return;
    showOptions(script.value);
    script.addEventListener("change", () => showOptions(script.value));
  };

  /* Whether somebody has ticked, typed or opened something in it: then it is not swapped away under their hands. */
  const isUsed = (part) =>
    part.querySelector("input:checked, details[open], [data-gone-in]") !== null ||
    [...part.querySelectorAll("input[type=password], input[type=text]")].some((field) => field.value) ||
    (part.contains(document.activeElement) && isBusy());

  const keepUsed = (event) => {
    const part = event.detail.target;
    if (!event.detail.shouldSwap || !part?.matches?.("[data-live-part]") || !isUsed(part)) return;
    event.detail.shouldSwap = false;
    part.querySelector("[data-live-news]")?.removeAttribute("hidden");
  };

  /* A code that is good for seconds is shown no longer than that. */
  const forgetCodes = () =>
    document.querySelectorAll("[data-gone-in]:not([data-going])").forEach((code) => {
      code.dataset.going = "1";
      setTimeout(() => code.remove(), Number(code.dataset.goneIn) * 1000);
    });

  const tickAll = (event) => {
    if (!event.target.matches?.("[data-all]")) return;
    const boxes = event.target.closest("[data-group]").querySelectorAll(".pr-pick");
    boxes.forEach((box) => (box.checked = event.target.checked));
  };

  /* An unknown screen: what the tree and the picture show of each other, and what is chosen of a ticked node. */
  const watchPicker = (form) => {
    const [width, height] = form.dataset.size.split(",").map(Number);
    const screen = form.querySelector("[data-screen]"), frame = screen.querySelector("i");
    const lines = [...form.querySelectorAll("[data-bounds]")];
    const boxOf = (line) => line.dataset.bounds.split(",").map(Number);
    const show = (line) => {
      const [left, top, right, bottom] = boxOf(line);
      frame.hidden = right <= left;
      frame.style.cssText = `left:${(100 * left) / width}%;top:${(100 * top) / height}%;width:${(100 * (right - left)) / width}%;height:${(100 * (bottom - top)) / height}%`;
    };
    const choose = (box) => {
      const by = box.closest("li").querySelector(".pr-by");
      by.hidden = !box.checked;
      if (!box.checked || by.querySelector("select")) return;
      const roles = form.querySelector("[data-roles]").content.firstElementChild.cloneNode(true);
      roles.name = `role-${box.value}`;
      by.prepend(roles);
    };
    const at = (x, y) => {
      const size = ([left, top, right, bottom]) => (right - left) * (bottom - top);
      const hit = lines.filter((line) => {
        const [left, top, right, bottom] = boxOf(line);
        return line.querySelector("[name=node]") && left <= x && x < right && top <= y && y < bottom;
      });
      return hit.sort((one, other) => size(boxOf(one)) - size(boxOf(other)))[0];
    };
    form.addEventListener("mouseover", (event) => {
      const line = event.target.closest("[data-bounds]");
      if (line) show(line);
    });
    form.addEventListener("change", (event) => event.target.matches("[name=node]") && choose(event.target));
    screen.addEventListener("click", (event) => {
      const seen = screen.getBoundingClientRect();
      const line = at(((event.clientX - seen.left) * width) / seen.width, ((event.clientY - seen.top) * height) / seen.height);
      if (!line) return;
      show(line);
      line.querySelector("[name=node]").click();
      line.scrollIntoView({ block: "nearest" });
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    watchScript();
    document.querySelectorAll("[data-picker]").forEach(watchPicker);
    document.querySelectorAll("[data-live-list]").forEach(watchList);
    fillTexts();
    forgetCodes();
  });
  document.addEventListener("change", tickAll);
  document.addEventListener("htmx:beforeSwap", keepUsed);
  document.addEventListener("htmx:afterSwap", () => { fillTexts(); forgetCodes(); });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches("[data-live-part]")) event.preventDefault();
  });
})();
