"use strict";
// The page of search: sections that hold all words, whatever their accents and marks; nothing is fetched.

function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f\u0640\u064b-\u0652\u0670]/g, "")
    .replace(/[\u0622\u0623\u0625]/g, "\u0627").replace(/\u00a0|\u202f/g, " ");
}

// Places of sections that hold every word; those that hold all of them in the title come first.
function found(sections, asked) {
  var words = plain(asked).split(/\s+/).filter(function (word) { return word.length > 1; });
  if (!words.length) { return []; }
  function holds(text) { return words.every(function (word) { return plain(text).indexOf(word) >= 0; }); }
  var all = sections.filter(function (one) { return holds(one.page + " " + one.title + " " + one.text); });
  var first = all.filter(function (one) { return holds(one.title); });
  return first.concat(all.filter(function (one) { return first.indexOf(one) < 0; }));
}

// What stands around the first of the words in a text, to whole words.
function around(text, asked) {
  var word = plain(asked).trim().split(/\s+/)[0], parts = text.split(" "), at = 0;
  while (at < parts.length && plain(parts[at]).indexOf(word) < 0) { at += 1; }
  var from = at < parts.length ? Math.max(0, at - 12) : 0;
  return (from ? "… " : "") + parts.slice(from, from + 30).join(" ") + (from + 30 < parts.length ? " …" : "");
}

function begin(page) {
  var sections = JSON.parse(page.getElementById("sections").textContent);
  var asked = page.getElementById("asked"), list = page.getElementById("found"), many = page.getElementById("many");
  function show() {
    var hits = found(sections, asked.value);
    list.textContent = "";
    many.textContent = asked.value.trim().length > 1 ? many.getAttribute("data-said").replace("{n}", hits.length) : "";
    hits.slice(0, 50).forEach(function (one) {
      var item = page.createElement("li"), link = page.createElement("a"), text = page.createElement("p");
      link.href = one.href;
      link.textContent = one.title === one.page ? one.page : one.page + " · " + one.title;
      text.textContent = around(one.text, asked.value);
      item.append(link, text);
      list.append(item);
    });
  }
  page.getElementById("search").hidden = false;
  asked.addEventListener("input", show);
  asked.form.addEventListener("submit", function (event) { event.preventDefault(); show(); });
}

if (typeof document !== "undefined") { begin(document); }
