// What makes the pages more pleasant where scripts run. Every page works without.
"use strict";
(() => {
  const zone = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  // Times are written in UTC; the reader's zone is known here only.
  function localize(root) {
    for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
      time.title = time.textContent;
      time.textContent = zone.format(new Date(time.dateTime));
    }
  }

  function prepare(root) {
    localize(root);
    for (const box of root.querySelectorAll("[data-check-all]")) {
      box.hidden = false;
      box.addEventListener("change", () => {
        for (const other of box.form.querySelectorAll("input[type=checkbox][name]")) other.checked = box.checked;
      });
    }
    for (const button of root.querySelectorAll("[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => print());
    }
    for (const form of root.querySelectorAll("form[data-progress]")) {
      form.addEventListener("submit", (event) => { if ("progress" in form.dataset) send(form, event); });
    }
    for (const left of root.querySelectorAll("[data-countdown]")) countDown(left);
    for (const waiting of root.querySelectorAll("[data-await]")) goOn(waiting.dataset.await);
    for (const input of root.querySelectorAll("[data-live-input=meter]")) {
      const meter = input.parentElement.querySelector("meter");
      meter.hidden = false;
      const show = () => { meter.value = strength(input.value); };
      input.addEventListener("input", show);
      show();
    }
  }

  // A file may be dropped anywhere on its field. One that misses must not take the place of the page.
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (![...event.dataTransfer?.types ?? []].includes("Files")) return;
      const field = event.target.closest?.(".field");
      const input = field?.querySelector("input[type=file]");
      event.preventDefault();
      event.dataTransfer.dropEffect = input ? "copy" : "none";
      for (const other of document.querySelectorAll(".over")) other.classList.remove("over");
      if (!input) return;
      if (kind === "drop") input.files = event.dataTransfer.files;
      else if (kind !== "dragleave") field.classList.add("over");
    });
  }

  // A large file is sent with its progress shown; the answer takes the place of the page.
  function send(form, event) {
    event.preventDefault();
    const line = form.querySelector(".sending");
    const bar = line.querySelector("progress");
    const request = new XMLHttpRequest();
    const buttons = form.querySelectorAll("button");
    request.upload.addEventListener("progress", (sent) => {
      bar.value = sent.loaded / sent.total;
      line.querySelector("span").textContent = `${Math.floor(100 * bar.value)} %`;
    });
    request.addEventListener("load", () => {
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      document.title = answer.title;
      document.getElementById("main").replaceWith(document.adoptNode(answer.getElementById("main")));
      history.replaceState(null, "", request.responseURL);
      prepare(document);
      document.getElementById("main").focus();
    });
    request.addEventListener("error", () => {
      line.hidden = true;
      for (const button of buttons) button.disabled = false;
      form.noValidate = true;
      form.removeAttribute("data-progress"); // the next try is the browser's, which says what is wrong
    });
    request.open("POST", form.action);
    request.send(new FormData(form));
    line.hidden = false;
    for (const button of buttons) button.disabled = true;
  }

  // Seconds that a person has left; the page is then asked for again, at the address that holds.
  function countDown(left) {
    const timer = setInterval(() => {
      left.textContent = Math.max(0, Number(left.textContent) - 1);
      if (left.textContent !== "0") return;
      clearInterval(timer);
      goOn(location.pathname);
    }, 1000);
  }

  // A page that waits for the box to start again goes on when it has.
  async function goOn(path) {
    for (;;) {
      await new Promise((wake) => setTimeout(wake, 2000));
      const there = await fetch(path).catch(() => null);
      if (there?.ok && new URL(there.url).pathname === path) break;
    }
    location.assign(path);
  }

  // A hint while typing; what is accepted is decided by the box.
  function strength(password) {
    const different = new Set(password).size;
    if (password.length < 12 || different < 5) return Math.min(1, password.length / 12);
    return Math.min(4, 1 + Math.floor((password.length - 8) / 4) * Math.min(1, different / 8));
  }

  // A live part comes anew whenever it has changed, unless somebody is in it with the keyboard. A page that nobody sees
  // asks for nothing, so that its session ends in time.
  const streams = new Map();
  function follow() {
    for (const [part, stream] of streams) {
      if (part.isConnected && !document.hidden) continue;
      stream.close();
      streams.delete(part);
    }
    if (document.hidden) return;
    for (const part of document.querySelectorAll("[data-live]")) {
      if (streams.has(part)) continue;
      const stream = new EventSource(part.dataset.live);
      stream.addEventListener("part", (event) => {
        if (part.contains(document.activeElement)) return;
        const open = [...part.querySelectorAll("details")].map((details) => details.open);
        part.innerHTML = event.data;
        part.querySelectorAll("details").forEach((details, i) => { details.open = open[i] ?? details.open; });
        localize(part);
        part.dispatchEvent(new CustomEvent("furrow:part", { bubbles: true })); // charts are drawn anew
      });
      streams.set(part, stream);
    }
  }
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => {
    for (const stream of streams.values()) stream.close();
    streams.clear();
  });
  follow();

  document.addEventListener("htmx:after:swap", () => {
    prepare(document);
    follow();
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.who[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.who[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  prepare(document);
})();
