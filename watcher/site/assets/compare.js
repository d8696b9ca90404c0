// Any two models side by side, from the script files that were shipped with the site.
"use strict";
(function () {
  var form = document.getElementById("pick");
  var names = document.getElementById("names");
  var result = document.getElementById("result");
  var said = document.getElementById("said");
  var facts = [];
  var bySlug = new Map();
  var byName = new Map();
  var told = new Map();

  window.watcherFacts = function (rows) { facts = rows; };
  window.watcherNames = function (rows) {
    rows.forEach(function (row) {
      var slug = row[1] || row[0].toLowerCase().replaceAll("/", "--");
      bySlug.set(slug, row[0]);
      byName.set(row[0].toLowerCase(), slug);
    });
  };
  window.watcherModel = function (slug, model) { told.set(slug, model); };

  function script(path) {
    return new Promise(function (done, failed) {
      var made = document.createElement("script");
      made.src = path;
      made.onload = done;
      made.onerror = function () { failed(new Error(path)); };
      document.head.append(made);
    });
  }

  function model(slug) {
    var known = told.has(slug) ? Promise.resolve() : script("data/" + encodeURIComponent(slug) + ".js");
    return known.then(function () { return told.get(slug); });
  }

  function element(tag, name, text) {
    var made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function head(text) {
    var made = element("th", "", text);
    made.scope = "col";
    return made;
  }

  function table(a, b, only) {
    var made = element("table", "facts");
    var top = element("thead");
    var line = element("tr");
    line.append(head("fact"), head(a.short), head(b.short));
    top.append(line);
    made.append(top);
    var group = "";
    var body = null;
    facts.forEach(function (each, index) {
      var left = a.facts[index];
      var right = b.facts[index];
      if ((left === "–" && right === "–") || (only && left === right)) return;
      if (each[0] !== group) {
        group = each[0];
        body = element("tbody");
        var title = element("tr");
        var cell = element("th", "group", group);
        cell.colSpan = 3;
        cell.scope = "rowgroup";
        title.append(cell);
        body.append(title);
        made.append(body);
      }
      var row = element("tr");
      var name = element("th", "", each[1]);
      name.scope = "row";
      row.append(name, element("td", "", left), element("td", left === right ? "" : "differs", right));
      body.append(row);
    });
    return made;
  }

  function picture(slug, short, theme) {
    var made = element("img", theme);
    made.loading = "lazy";
    made.alt = "Sketch of " + short + "'s architecture";
    made.src = "pictures/" + slug + (theme === "dark" ? "-dark" : "") + ".svg";
    return made;
  }

  function side(slug, each) {
    var made = element("figure", "sketch");
    var title = element("figcaption");
    var link = element("a", "", each.name);
    link.href = "models/" + slug + ".html";
    title.append(link);
    made.append(title, picture(slug, each.short, "light"), picture(slug, each.short, "dark"));
    return made;
  }

  function chosen(name) { return byName.get(form.elements[name].value.trim().toLowerCase()); }

  function show() {
    var a = chosen("a");
    var b = chosen("b");
    var address = new URLSearchParams();
    if (a) address.set("a", a);
    if (b) address.set("b", b);
    history.replaceState(null, "", "#" + address.toString());
    if (!a || !b) {
      result.replaceChildren();
      said.textContent = "Choose two models.";
      return;
    }
    Promise.all([model(a), model(b)]).then(function (both) {
      var differing = facts.filter(function (_, index) { return both[0].facts[index] !== both[1].facts[index]; }).length;
      var scroll = element("div", "scroll");
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "group");
      scroll.setAttribute("aria-label", "Facts of both models");
      scroll.append(table(both[0], both[1], form.elements.only.checked));
      var pair = element("div", "pair");
      pair.append(side(a, both[0]), side(b, both[1]));
      result.replaceChildren(scroll, pair);
      said.textContent = differing === 0 ? "No fact differs." : differing === 1 ? "1 fact differs." : differing + " facts differ.";
    }, function (error) { said.textContent = "A model cannot be loaded: " + error.message; });
  }

  function restore() {
    var address = new URLSearchParams(location.hash.slice(1));
    ["a", "b"].forEach(function (name) {
      if (bySlug.has(address.get(name))) form.elements[name].value = bySlug.get(address.get(name));
    });
    show();
  }

  var parts = [];
  for (var number = 0; number < Number(form.dataset.shards); number++) parts.push(script("data/names-" + number + ".js"));
  Promise.all(parts).then(function () {
    bySlug.forEach(function (name) {
      var option = element("option");
      option.value = name;
      names.append(option);
    });
    restore();
  }, function (error) { said.textContent = "The list of models cannot be loaded: " + error.message; });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("change", show);
  document.getElementById("swap").addEventListener("click", function () {
    var kept = form.elements.a.value;
    form.elements.a.value = form.elements.b.value;
    form.elements.b.value = kept;
    show();
  });
  addEventListener("hashchange", restore);
})();
