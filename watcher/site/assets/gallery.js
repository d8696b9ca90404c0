// Search and filters over all models. The data is loaded when they are first used; it comes in script files, because
// a page opened from a file may not fetch.
"use strict";
(function () {
  var STEP = 48;
  var form = document.getElementById("filters");
  var cards = document.getElementById("cards");
  var found = document.getElementById("found");
  var more = document.getElementById("more");
  var keys = ["q", "organization", "decoder", "attention", "size", "year", "license", "sort"];
  var models = [];
  var matching = [];
  var shown = 0;
  var loading = null;

  window.watcherModels = function (words, rows) {
    rows.forEach(function (row) {
      var model = {
        name: row[0], slug: row[1] || row[0].toLowerCase().replaceAll("/", "--"), date: row[2], decoder: words[row[3]],
        attention: row[4].map(function (place) { return words[place]; }), size: words[row[5]], license: words[row[6]],
        total: row[7], active: row[8], cache: row[9], bytes: row[10], weights: row[11],
      };
      model.text = [row[0], model.decoder, model.attention.join(" "), model.license, row[12]].join(" ").toLowerCase();
      models.push(model);
    });
  };

  function load() {
    if (loading) return loading;
    var parts = [];
    for (var number = 0; number < Number(form.dataset.shards); number++) parts.push(script("data/models-" + number + ".js"));
    loading = Promise.all(parts).then(function () {
      models.sort(function (a, b) { return a.date < b.date ? 1 : a.date > b.date ? -1 : a.name < b.name ? 1 : -1; });
    });
    return loading;
  }

  function script(path) {
    return new Promise(function (done, failed) {
      var made = document.createElement("script");
      made.src = path;
      made.onload = done;
      made.onerror = function () { failed(new Error(path)); };
      document.head.append(made);
    });
  }

  function wanted() {
    var values = {};
    keys.forEach(function (key) { values[key] = form.elements[key].value.trim(); });
    return values;
  }

  var tests = {
    organization: function (model, value) { return model.name.split("/")[0] === value; },
    decoder: function (model, value) { return model.decoder === value; },
    attention: function (model, value) { return model.attention.includes(value); },
    size: function (model, value) { return model.size === value; },
    year: function (model, value) { return (model.date.slice(0, 4) || "unknown") === value; },
    license: function (model, value) { return model.license === value; },
  };

  function fits(model, values) {
    var words = values.q.toLowerCase().split(/\s+/).filter(Boolean);
    return words.every(function (word) { return model.text.includes(word); }) && Object.keys(tests).every(function (key) {
      return !values[key] || tests[key](model, values[key]);
    });
  }

  function last(value) { return value === null ? Infinity : value; }
  var orders = {
    old: function (a, b) { return a.date < b.date ? -1 : a.date > b.date ? 1 : 0; },
    name: function (a, b) { return a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1; },
    large: function (a, b) { return (b.weights || 0) - (a.weights || 0); },
    small: function (a, b) { return last(a.weights) < last(b.weights) ? -1 : last(a.weights) > last(b.weights) ? 1 : 0; },
    cache: function (a, b) { return last(a.bytes) < last(b.bytes) ? -1 : last(a.bytes) > last(b.bytes) ? 1 : 0; },
  };

  function element(tag, name, text) {
    var made = document.createElement(tag);
    if (name) made.className = name;
    if (text) made.textContent = text;
    return made;
  }

  function picture(slug, theme) {
    var made = element("img", theme);
    made.loading = "lazy";
    made.alt = "";
    made.src = "pictures/" + slug + "-card" + (theme === "dark" ? "-dark" : "") + ".svg";
    return made;
  }

  function figure(label, value) {
    var made = element("div");
    made.append(element("dt", "", label), element("dd", "", value));
    return made;
  }

  function card(model) {
    var made = element("article", "card");
    var address = "models/" + model.slug + ".html";
    var shot = element("a", "shot");
    shot.href = address;
    shot.tabIndex = -1;
    shot.setAttribute("aria-hidden", "true");
    shot.append(picture(model.slug, "light"), picture(model.slug, "dark"));
    var title = element("h3");
    var link = element("a", "", model.name.split("/").pop());
    link.href = address;
    title.append(link);
    var by = element("p", "by", model.name.split("/")[0] + (model.date ? " · " + model.date : ""));
    var tags = element("p", "tags");
    model.attention.slice(0, 3).forEach(function (word) { tags.append(element("span", "", word)); });
    var figures = element("dl", "figures");
    figures.append(figure("parameters", model.total));
    if (model.active) figures.append(figure("active", model.active));
    figures.append(figure("KV / token", model.cache));
    made.append(shot, title, by, tags, figures);
    return made;
  }

  function extend() {
    matching.slice(shown, shown + STEP).forEach(function (model) { cards.append(card(model)); });
    shown = Math.min(shown + STEP, matching.length);
    more.hidden = shown >= matching.length;
  }

  function remember(values) {
    var told = new URLSearchParams();
    keys.forEach(function (key) { if (values[key]) told.set(key, values[key]); });
    var text = told.toString();
    history.replaceState(null, "", text ? "#" + text : "#gallery");
  }

  function apply() {
    var values = wanted();
    load().then(function () {
      matching = models.filter(function (model) { return fits(model, values); });
      if (values.sort) matching.sort(orders[values.sort]);
      cards.replaceChildren();
      shown = 0;
      extend();
      found.textContent = matching.length === 1 ? "1 model" : matching.length.toLocaleString("en") + " models";
      remember(values);
    }, function (error) { found.textContent = "The list of models cannot be loaded: " + error.message; });
  }

  function restore() {
    var told = new URLSearchParams(location.hash.slice(1));
    var any = false;
    keys.forEach(function (key) {
      if (told.has(key)) { form.elements[key].value = told.get(key); any = true; }
    });
    if (any) apply();
  }

  form.hidden = false;
  more.hidden = false;
  more.addEventListener("click", function () {
    var first = shown;
    load().then(function () {
      if (!matching.length) { matching = models; shown = first = cards.children.length; }
      extend();
      var next = cards.children[first];
      if (next) next.querySelector("h3 a").focus();
    });
  });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.elements.q.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("reset", function () { setTimeout(apply); });
  restore();
})();
