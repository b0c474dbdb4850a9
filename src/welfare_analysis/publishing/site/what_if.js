"use strict";
// The page of what-ifs. Nothing is fetched and nothing is fitted: numbers are between released ones, as
// results.what_if.interpolated does it; old JavaScript, so that a small engine can run it in a test.

function indexOf(points, x) {
  var i = points.length - 2;
  while (i > 0 && points[i] > x) { i -= 1; }
  return i;
}

// The released numbers around a point: {estimate, low, high, step, flag}.
function interpolated(cells, axes, at) {
  var corners = [[0, 1]];
  axes.forEach(function (axis) {
    var points = axis.points, i = indexOf(points, at[axis.id]);
    var t = (at[axis.id] - points[i]) / (points[i + 1] - points[i]), next = [];
    corners.forEach(function (corner) {
      next.push([corner[0] * points.length + i, corner[1] * (1 - t)]);
      next.push([corner[0] * points.length + i + 1, corner[1] * t]);
    });
    corners = next;
  });
  var value = [0, 0, 0], step = 0, flags = {};
  corners.forEach(function (corner) {
    var cell = cells[corner[0]];
    if (!(corner[1] > 0)) { return; }
    flags[cell[4]] = true;
    for (var k = 0; k < 3; k += 1) { value[k] += cell[k] * corner[1]; }
    step = Math.max(step, cell[3]);
  });
  if (flags.hidden || flags.unsure) { return { flag: flags.hidden ? "hidden" : "unsure" }; }
  var near = Math.floor(value[0] / step + 0.5);
  var low = Math.min(Math.floor(value[1] / step + 1e-6), near);
  var high = Math.max(Math.ceil(value[2] / step - 1e-6), near);
  return { estimate: near * step, low: low * step, high: high * step, step: step, flag: flags.caution ? "caution" : "" };
}

function number(x, digits, marks) {
  var parts = Math.abs(x).toFixed(digits).split(".");
  var whole = parts[0].replace(/\B(?=(\d{3})+$)/g, marks.thousands);
  var text = parts.length > 1 ? whole + marks.point + parts[1] : whole;
  return x < 0 && Number(Math.abs(x).toFixed(digits)) !== 0 ? "\u2212" + text : text;
}

function plain(x, measure, step, marks) {
  var scale = measure.printed[0], places = -Math.floor(Math.log(scale * step) / Math.LN10 + 1e-9);
  return number(scale * x, Math.min(measure.printed[1], Math.max(0, places)), marks);
}

function isolated(text, marks) { return marks.rtl ? "\u2066" + text + "\u2069" : text; }

// A number with its interval, as tables of the report print it, and its mark.
function shown(cell, measure, page) {
  if (!("estimate" in cell)) { return page.signs[cell.flag]; }
  var marks = page.marks, text = plain(cell.estimate, measure, cell.step, marks);
  if (Math.abs(cell.low - cell.high) > 1e-9 * Math.max(Math.abs(cell.low), Math.abs(cell.high))) {
    var ends = [cell.low, cell.high].map(function (x) { return plain(x, measure, cell.step, marks); });
    text += " (" + isolated(ends.join(cell.low < 0 ? marks.to : "\u2013"), marks) + ")";
  }
  return text + page.signs[cell.flag];
}

// The difference of two printed numbers; it has no interval, since the numbers say nothing of how they move together.
function difference(before, after, measure, page) {
  if (!("estimate" in before && "estimate" in after)) { return page.signs[("estimate" in before ? after : before).flag]; }
  var step = Math.max(before.step, after.step), by = Math.floor((after.estimate - before.estimate) / step + 0.5) * step;
  var text = plain(by, measure, step, page.marks);
  return by > 0 ? isolated("+" + text, page.marks) : by < 0 ? isolated(text, page.marks) : text;
}

// Lines of the table: [name, as on the page, as changed, difference] a measure.
function lines(page, grid, at) {
  var axes = page.axes.filter(function (axis) { return grid.axes.indexOf(axis.id) >= 0; }), home = {};
  axes.forEach(function (axis) { home[axis.id] = axis.base; });
  return page.measures.filter(function (measure) { return measure.id in grid.measures; }).map(function (measure) {
    var cells = grid.measures[measure.id];
    var before = interpolated(cells, axes, home), after = interpolated(cells, axes, at);
    return [measure.name, shown(before, measure, page), shown(after, measure, page), difference(before, after, measure, page)];
  });
}

function begin(page, form) {
  var whose = form.querySelector("select"), rows = form.querySelector("tbody"), fixed = form.querySelector(".fixed");
  function update() {
    var grid = page.grids[Number(whose.value)], at = {}, some = false;
    page.axes.forEach(function (axis) {
      var slider = form.querySelector("[name=" + axis.id + "]"), open = grid.axes.indexOf(axis.id) >= 0;
      slider.disabled = !open;
      some = some || !open;
      if (!open) { slider.value = axis.base; }
      at[axis.id] = Math.min(Math.max(Number(slider.value), axis.points[0]), axis.points[axis.points.length - 1]);
      var text = number(axis.scale * at[axis.id], axis.digits, page.marks) + "\u00a0" + axis.unit;
      if (slider.type === "range") { slider.setAttribute("aria-valuetext", text); }
      form.querySelector("output[for=" + slider.id + "]").textContent = axis.move ? text : "";
    });
    fixed.hidden = !some;
    rows.textContent = "";
    lines(page, grid, at).forEach(function (line) {
      var row = rows.insertRow();
      line.forEach(function (text, i) {
        var cell = row.appendChild(document.createElement(i ? "td" : "th"));
        if (!i) { cell.scope = "row"; }
        cell.textContent = text;
      });
    });
  }
  form.addEventListener("input", update);
  form.addEventListener("reset", function () { setTimeout(update, 0); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.hidden = false;
  update();
}

if (typeof document !== "undefined") {
  JSON.parse(document.getElementById("grids").textContent).forEach(function (page) {
    begin(page, document.getElementById(page.service));
  });
}
