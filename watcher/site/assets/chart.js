// A chart's points one at a time: hover and focus tell the model below the chart, arrow keys go along the axis.
"use strict";
document.addEventListener("DOMContentLoaded", function () {
  var chart = document.querySelector("svg.chart"), told = document.getElementById("point");
  if (!chart || !told) return;
  function place(point, axis) { return Number(point.querySelector("use").getAttribute(axis)); }
  var points = Array.prototype.slice.call(chart.querySelectorAll("a"));
  points.sort(function (one, other) { return place(one, "x") - place(other, "x") || place(other, "y") - place(one, "y"); });
  if (!points.length) return;
  var at = 0;
  function tell(point) { told.textContent = point.querySelector("title").textContent; }
  function move(to) {
    points[at].setAttribute("tabindex", "-1");
    at = Math.max(0, Math.min(points.length - 1, to));
    points[at].setAttribute("tabindex", "0");
  }
  told.hidden = false;
  move(0);
  points.forEach(function (point, index) {
    point.addEventListener("mouseenter", function () { tell(point); });
    point.addEventListener("focus", function () { move(index); tell(point); });
  });
  var steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -1e6, End: 1e6 };
  chart.addEventListener("keydown", function (event) {
    if (!(event.key in steps)) return;
    event.preventDefault();
    move(at + steps[event.key]);
    points[at].focus();
  });
});
