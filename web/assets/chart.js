// Charts by uPlot, in place of those that the box has drawn, from the tables that have their numbers.
"use strict";
(() => {
  const language = document.documentElement.lang;
  const plots = new Map(); // by figure
  const formats = {
    minute: { hour: "2-digit", minute: "2-digit" },
    hour: { hour: "2-digit", minute: "2-digit" },
    day: { day: "numeric", month: "short", timeZone: "UTC" },
  };
  const steps = { minute: 60, hour: 3600, day: 86400 };
  const numbers = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

  function size(octets) {
    const units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let unit = 0;
    while (octets >= 1000 && unit < units.length - 1) {
      octets /= 1000;
      unit++;
    }
    return `${numbers.format(octets)} ${units[unit]}`;
  }

  // read takes the numbers out of the table of a figure. The last of them holds until the next time.
  function read(figure) {
    const rows = [...figure.querySelector("tbody").rows];
    const times = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
    const data = [[...times, times.at(-1) + steps[figure.dataset.chart]]];
    for (let i = 1; i < rows[0].cells.length; i++) {
      const values = rows.map((row) => Number(row.cells[i].dataset.value));
      data.push([...values, values.at(-1)]);
    }
    return data;
  }

  // distinct leaves out what is the same as before it: a chart of one day has a mark for every hour.
  const distinct = (labels) => labels.map((label, i) => (label === labels[i - 1] ? "" : label));

  function draw(figure) {
    const place = figure.querySelector(".plot");
    const colour = (name) => getComputedStyle(figure).getPropertyValue(name).trim();
    const small = figure.classList.contains("small");
    const write = "bytes" in figure.dataset ? size : (n) => numbers.format(n);
    const when = new Intl.DateTimeFormat(language, formats[figure.dataset.chart]);
    const names = [...figure.querySelectorAll("thead th")].map((th) => th.textContent);
    const stepped = uPlot.paths.stepped({ align: 1 });
    const axis = { stroke: colour("--quiet"), font: "12px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const data = read(figure);
    const options = {
      width: place.clientWidth,
      height: small ? 110 : 200,
      padding: [8, 28, 0, 0], // half of the last mark, such as "23. Nov.", stands out
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, __, top) => [0, Math.max(top, 1) * 1.05] } },
      axes: [
        { ...axis, grid: { show: false }, size: 26, space: 70, values: (_, at) => distinct(at.map((t) => when.format(t * 1000))) },
        { ...axis, size: 56, space: small ? 36 : 40, values: (_, at) => at.map((n) => (Number.isInteger(n) ? write(n) : "")) },
      ],
      series: [{}, ...data.slice(1).map((_, i) => ({
        label: names[i + 1], stroke: colour(i === 0 ? "--accent" : "--calm"), width: 1.75, paths: stepped, points: { show: false },
        fill: i === 0 ? colour("--accent-soft") : undefined,
      }))],
      hooks: { setCursor: [(plot) => tell(figure, plot, names, write, when)] },
    };
    place.hidden = true;
    let stage = figure.querySelector(".stage");
    if (!stage) {
      stage = document.createElement("div");
      stage.className = "stage";
      stage.setAttribute("aria-hidden", "true"); // the table says the same
      place.after(stage);
    }
    options.width = stage.clientWidth;
    plots.get(figure)?.destroy();
    plots.set(figure, new uPlot(options, data, stage));
    resized.observe(stage);
  }

  // tell writes the numbers below the pointer into the legend.
  function tell(figure, plot, names, write, when) {
    const at = plot.cursor.idx;
    const marks = figure.querySelectorAll(".legend > li");
    marks.forEach((li, i) => {
      let said = li.querySelector("b");
      if (!said) {
        said = document.createElement("b");
        li.append(" ", said);
      }
      said.textContent = at == null || plot.cursor.left < 0 ? "" : `${write(plot.data[i + 1][at])} (${when.format(plot.data[0][at] * 1000)})`;
    });
  }

  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const plot = plots.get(target.parentElement);
      if (plot && target.clientWidth > 0 && plot.width !== target.clientWidth) {
        plot.setSize({ width: target.clientWidth, height: plot.height });
      }
    }
  });

  function drawAll() {
    for (const [figure, plot] of plots) {
      if (!figure.isConnected) {
        plot.destroy();
        plots.delete(figure);
      }
    }
    for (const figure of document.querySelectorAll("figure[data-chart]")) draw(figure);
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.addEventListener("furrow:part", drawAll);
  document.addEventListener("htmx:after:swap", drawAll);
  drawAll();
})();
