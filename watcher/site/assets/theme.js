// The theme: the system's until the reader chooses; the choice is kept where the browser allows it.
"use strict";
(function () {
  var root = document.documentElement;
  function kept() { try { return localStorage.getItem("theme"); } catch (error) { return null; } }
  function keep(value) { try { localStorage.setItem("theme", value); } catch (error) { /* a file without storage */ } }
  function dark() {
    return (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  }
  var chosen = kept();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  document.addEventListener("DOMContentLoaded", function () {
    var button = document.getElementById("theme");
    function label() { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", "Switch to the " + (dark() ? "light" : "dark") + " theme"); }
    button.hidden = false;
    label();
    button.addEventListener("click", function () {
      root.dataset.theme = dark() ? "light" : "dark";
      keep(root.dataset.theme);
      label();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  });
})();
