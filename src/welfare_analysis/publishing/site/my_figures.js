"use strict";
// My own figures. Nothing is fetched, sent or kept. The sums are those of demand.credit and planning.agreements, which
// a test holds beside them; old JavaScript, so that a small engine can run it there. A term that is null is no limit.

function atMost(x, most) { return most === null ? x : Math.min(x, most); }

function annuity(rate, months) {
  var r = rate / 12;
  return r > 0 ? -Math.expm1(-months * Math.log1p(r)) / r : months;
}

// Instalment a month of each dirham lent.
function cost(terms, months) {
  var worth = annuity(terms.rate * (1 + terms.vat) + (terms.insured_initial ? 0 : terms.insurance), months);
  return (worth ? 1 / worth : Infinity) + (terms.insured_initial ? terms.insurance / 12 : 0);
}

function allowed(rules, income) { return Math.min(rules.limit_share * income, income - rules.least_left_dh); }

function capacity(rules, person) { return Math.max(0, allowed(rules, person.income) - person.service); }

function monthsLeft(rules, terms, age) {
  if (age < rules.adult) { return 0; }
  return Math.floor(Math.max(0, atMost(terms.age_end === null ? Infinity : 12 * (terms.age_end - age), terms.months)));
}

// The price without an agreement, and with it.
function prices(offer, price) {
  var before = price + (offer.term === "tax" ? offer.value : 0), cut = offer.term === "price" ? before - offer.value
    : offer.term === "discount" ? offer.value * before : offer.term === "grant" || offer.term === "tax" ? offer.value : 0;
  return [before, Math.max(before - cut, 0)];
}

// Reasons that hold, in the order of planning.agreements, each with what is missing (true where that is no amount).
function shut(page, offer, person) {
  var stops = {};
  if (offer.who.length && offer.who.indexOf(person.status) < 0) { stops.status = true; }
  if (offer.where.length && offer.where.indexOf(person.place) < 0) { stops.command_group = true; }
  if (person.age < page.rules.adult) { stops.minor = true; }
  return stops;
}

function over(page, person, monthly, stops) {
  var most = capacity(page.rules, person), left = person.income - page.rules.least_left_dh;
  if (monthly > most) { stops[page.rules.limit_share * person.income > left ? "pay_left" : "pay_share"] = monthly - most; }
}

// What is paid in all, and what that is worth today: cash at once, then so many instalments.
function paid(page, monthly, months, cash) {
  return {
    total: monthly === null ? null : monthly * months + cash,
    present: monthly === null ? null : monthly * annuity(page.rules.discount_rate, months) + cash
  };
}

function termsOf(page, offer, person, side) { return offer.terms[side][person.status === page.active ? "active" : "others"]; }

function bought(page, person, terms, price) {
  var months = monthsLeft(page.rules, terms, person.age), cash = person.savings + terms.grant_dh;
  var whole = (1 + terms.fees) * price, loan = Math.max(0, whole - cash), share = terms.fees + terms.down_payment;
  var monthly = loan === 0 ? 0 : months > 0 ? loan * cost(terms, months) : null;
  var most = atMost(atMost(capacity(page.rules, person), terms.instalment_most_dh) / cost(terms, months), terms.loan_most_dh);
  var reach = (most + cash) / (1 + terms.fees), sum = paid(page, monthly, months, whole - loan - terms.grant_dh);
  if (share > 0) { reach = Math.min(reach, cash / share); }
  return {
    price: price, loan: loan, monthly: monthly, months: loan === 0 ? 0 : months, most: most,
    total: sum.total, present: sum.present, reach: atMost(reach, terms.price_most_dh)
  };
}

function home(page, offer, person) {
  var at = prices(offer, person.price), terms = termsOf(page, offer, person, "after"), stops = shut(page, offer, person);
  var before = bought(page, person, termsOf(page, offer, person, "before"), at[0]), after = bought(page, person, terms, at[1]);
  var cash = person.savings + terms.grant_dh, upfront = (terms.fees + terms.down_payment) * at[1];
  if (offer.most_dh !== null && person.price > offer.most_dh) { stops.dearer = offer.most_dh; }
  if (person.owns === "yes") { stops.owns = true; }
  if (after.loan > 0 && after.months === 0) { stops.age_limit = true; }
  if (cash < upfront) { stops.savings = upfront - cash; }
  if (terms.loan_most_dh !== null && after.loan > terms.loan_most_dh) { stops.ceiling = after.loan - terms.loan_most_dh; }
  if (after.monthly !== null) { over(page, person, after.monthly, stops); }
  return { before: before, after: after, stops: stops };
}

function lent(page, person, terms, amount) {
  var months = Math.min(person.months === null ? page.rules.months_told : person.months, monthsLeft(page.rules, terms, person.age));
  var q = cost(terms, months), monthly = months > 0 ? amount * q : null;
  var most = atMost(capacity(page.rules, person) / q, terms.loan_most_dh), sum = paid(page, monthly, months, 0);
  return { loan: amount, monthly: monthly, months: months, most: most, total: sum.total, present: sum.present };
}

function loan(page, offer, person) {
  var terms = termsOf(page, offer, person, "after"), stops = shut(page, offer, person);
  var amount = atMost(person.amount, offer.most_dh), after = lent(page, person, terms, amount);
  if (after.months < page.rules.months_least) { stops.age_limit = true; }
  if (terms.files_most_n !== null && person.files >= terms.files_most_n) { stops.files = true; }
  if (person.late === "yes") { stops.arrears = true; }
  if (after.monthly !== null) { over(page, person, after.monthly, stops); }
  return { before: lent(page, person, termsOf(page, offer, person, "before"), amount), after: after, stops: stops };
}

function rail(page, offer, person) {
  return { before: { total: person.trains }, after: { total: person.trains * (1 - offer.value) }, stops: shut(page, offer, person) };
}

var SUMS = { home_loan: home, flat: home, consumer_loan: loan, rail: rail };
var NEEDED = { home_loan: "price", flat: "price", consumer_loan: "amount", rail: "trains" };

// What each agreement comes to for a person; those of which nothing is asked are left out.
function sums(page, person) {
  return page.offers.filter(function (offer) { return person[NEEDED[offer.product]] > 0; }).map(function (offer) {
    return { offer: offer, found: SUMS[offer.product](page, offer, person) };
  });
}

// A number as people write it: Arabic digits, marks or spaces between thousands; NaN where it is none.
function read(text) {
  var plain = text.replace(/[\u0660-\u0669]/g, function (digit) { return digit.charCodeAt(0) - 0x660; });
  plain = plain.replace(/[\s'\u2066-\u2069]/g, "").replace(/[.,\u066b\u066c](?=\d{3}(?!\d))/g, "").replace(/[,\u066b]/, ".");
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : NaN;
}

// The person of what was written, and the key of what is wrong with a field.
function understood(page, given) {
  var person = {}, wrong = {};
  page.groups.forEach(function (group) {
    group.fields.forEach(function (field) {
      var text = String(given[field.id] || "").trim(), x = field.options ? text : read(text);
      if (!text) {
        if (field.required) { wrong[field.id] = "empty"; }
        x = field.id === "files" ? 0 : null;
      } else if (x !== x) {
        wrong[field.id] = "number";
      } else if (!field.options && (x < field.low || field.high !== null && x > field.high)) {
        wrong[field.id] = "range";
      }
      person[field.id] = x;
    });
  });
  if (!wrong.service && !wrong.income && person.service > person.income) { wrong.service = "service"; }
  return { person: person, wrong: wrong };
}

function number(x, marks) { return Math.abs(x).toFixed(0).replace(/\B(?=(\d{3})+$)/g, marks.thousands); }

// An amount with its currency in the form that goes with the number (Arabic: by its last two digits).
function money(x, page) {
  var last = Math.round(x) % 100, kind = page.marks.rtl ? (last >= 3 && last <= 10 ? "few" : last > 10 ? "many" : "other") : "other";
  return number(x, page.marks) + "\u00a0" + (page.currency[kind] || page.currency.other);
}

function filled(text, fields) {
  return text.replace(/\{(\w+)\}/g, function (gap, name) { return name in fields ? fields[name] : gap; });
}

function said(page, one, person, code) {
  var missing = one.found.stops[code], terms = one.offer.terms.after ? termsOf(page, one.offer, person, "after") : {};
  return filled(page.words["stop." + code], {
    amount: missing === true ? "" : money(missing, page), end: terms.age_end, who: one.offer.open[code], age: page.rules.adult
  });
}

var ROWS = ["price", "loan", "monthly", "months", "total", "present", "most", "reach"];

function begin(page, document) {
  var form = document.getElementById("mine"), answers = document.getElementById("answers"), tried = false;
  var about = document.getElementById("about"), fields = [];
  page.groups.forEach(function (group) { fields = fields.concat(group.fields); });

  function add(parent, tag, text, kind) {
    var made = parent.appendChild(document.createElement(tag));
    made.textContent = text;
    if (kind) { made.className = kind; }
    return made;
  }

  function card(one, person) {
    var box = answers.appendChild(document.createElement("section")), stops = Object.keys(one.found.stops);
    var name = add(box, "h3", one.offer.name), list, table, head, body;
    name.id = "of-" + one.offer.place;
    box.setAttribute("aria-labelledby", name.id);
    box.className = stops.length ? "no" : "can";
    add(box, "p", one.offer.said, "terms");
    add(box, "p", stops.length ? page.words.cannot : one.offer.agreed ? page.words.can : page.words.could, "verdict");
    if (stops.length) { list = box.appendChild(document.createElement("ul")); }
    stops.forEach(function (code) { add(list, "li", said(page, one, person, code)); });
    if (one.found.after.loan < person.amount && one.offer.product === "consumer_loan") {
      add(box, "p", filled(page.words.cut, { amount: money(one.found.after.loan, page) }));
    }
    table = box.appendChild(document.createElement("table"));
    add(table, "caption", page.words.caption);
    head = table.createTHead().insertRow();
    ["what", "before", "after"].forEach(function (key) { add(head, "th", page.words[key]).scope = "col"; });
    body = table.appendChild(document.createElement("tbody"));
    ROWS.filter(function (key) { return key in one.found.after; }).forEach(function (key) {
      var row = body.insertRow();
      add(row, "th", page.words["row." + (one.offer.product === "rail" ? "trains" : key)]).scope = "row";
      ["before", "after"].forEach(function (side) {
        var x = one.found[side][key];
        add(row, "td", x === null ? page.words.none : key === "months" ? number(x, page.marks) : money(x, page), "number");
      });
    });
  }

  function update() {
    var given = {}, read, wrong, all, open, rules = page.rules;
    if (!tried) { return; }
    fields.forEach(function (field) { given[field.id] = form.elements[field.id].value; });
    read = understood(page, given);
    wrong = read.wrong;
    fields.forEach(function (field) {
      var note = document.getElementById("wrong-" + field.id), input = form.elements[field.id];
      var limits = { low: number(field.low || 0, page.marks), high: number(field.high || 0, page.marks) };
      var key = wrong[field.id] === "range" && field.high === null ? "above" : wrong[field.id];
      note.textContent = key ? filled(page.words["error." + key], limits) : "";
      if (key) { input.setAttribute("aria-invalid", "true"); } else { input.removeAttribute("aria-invalid"); }
    });
    answers.textContent = about.textContent = "";
    if (Object.keys(wrong).length) { add(about, "p", page.words.errors, "gap"); return; }
    if (read.person.age < rules.adult) { add(about, "p", filled(page.words.minor, { age: rules.adult }), "gap"); return; }
    add(about, "p", filled(page.words.capacity, {
      amount: money(capacity(rules, read.person), page), share: number(100 * rules.limit_share, page.marks), left: money(rules.least_left_dh, page)
    }));
    all = sums(page, read.person);
    if (all.some(function (one) { return one.found.before.price && one.found.before.loan === 0; })) { add(about, "p", page.words.no_loan); }
    open = all.filter(function (one) { return !Object.keys(one.found.stops).length; });
    ["usable", "possible"].forEach(function (key) {
      var names = open.filter(function (one) { return one.offer.agreed === (key === "usable"); });
      names = names.map(function (one) { return one.offer.name; }).join(page.words.between);
      if (names) { add(about, "p", filled(page.words[key], { names: names }), "verdict"); }
    });
    if (!open.length) { add(about, "p", page.words.nothing, "verdict"); }
    open.concat(all.filter(function (one) { return open.indexOf(one) < 0; })).forEach(function (one) { card(one, read.person); });
  }

  form.addEventListener("submit", function (event) {
    var first;
    event.preventDefault();
    tried = true;
    update();
    first = form.querySelector("[aria-invalid]");
    (first || about).focus();
  });
  form.addEventListener("input", update);
  form.addEventListener("reset", function () {
    tried = false;
    answers.textContent = about.textContent = "";
    fields.forEach(function (field) {
      document.getElementById("wrong-" + field.id).textContent = "";
      form.elements[field.id].removeAttribute("aria-invalid");
    });
  });
  document.getElementById("print").addEventListener("click", function () { window.print(); });
  form.hidden = false;
}

if (typeof document !== "undefined") { begin(JSON.parse(document.getElementById("terms").textContent), document); }
