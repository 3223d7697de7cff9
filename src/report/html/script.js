"use strict";
// The table of examples: rows are drawn only where they can be seen, texts go into the page as text and nothing else.
(() => {
  const byId = (id) => document.getElementById(id);
  const headData = byId("head-data");
  if (!headData) return;

  const make = (name, attributes, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "text") node.textContent = value;
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    for (const child of children) if (child != null) node.append(child);
    return node;
  };

  const words = { broke: "broke", worse: "worse", better: "better", fixed: "fixed", fails: "fails", passes: "passes", unscored: "no score" };
  const pairedWords = { ...words, fails: "still fails", passes: "still passes" };
  let data, rows = [], order = [], shown = [], complete = false;
  let state = null, metric = -1, slice = null, needle = "", sortBy = 1, ascending = true, open = null, detailHeight = 0;
  let rowHeight = 0, first = -1, last = -1;
  const grid = byId("grid"), tools = byId("tools"), count = byId("count");

  // ---- data -------------------------------------------------------------------------------------------------------
  const changeOf = (row) => (metric < 0 ? row[1] : row[6][metric] ? row[6][metric][0] : data.changes.indexOf("unscored"));

  const addRows = (chunk) => {
    for (const row of chunk) {
      const tags = [];
      row[2].forEach((codes, key) => {
        for (const code of Array.isArray(codes) ? codes : codes < 0 ? [] : [codes]) tags.push(data.labels[key][1][code]);
      });
      const outcomes = row[6].map((o) => (o ? [o[5], o[6], o[7], o[8], o[9]].filter(Boolean).join(" ") : "")).join(" ");
      // What a search looks through, in one string, made once.
      row.text = [row[0], row[3], row[4].join(" "), row[5].join(" "), tags.join(" "), outcomes].join("\n").toLowerCase();
      row.at = rows.length;
      rows.push(row);
    }
  };

  // `a=1,b="two words"` → [[key index, code], …]; null where the name is none of ours.
  const sliceParts = (name) => {
    if (name === "overall") return [];
    const parts = [];
    const pattern = /([^=,]+)=("(?:\\"|[^"])*"|[^,]*)(?:,|$)/g;
    for (const found of name.matchAll(pattern)) {
      const value = found[2].startsWith('"') ? found[2].slice(1, -1).replaceAll('\\"', '"') : found[2];
      const key = data.labels.findIndex((label) => label[0] === found[1]);
      const code = key < 0 ? -1 : data.labels[key][1].indexOf(value);
      if (code < 0) return null;
      parts.push([key, code]);
    }
    return parts.length ? parts : null;
  };

  const isIn = (row, parts) => parts.every(([key, code]) => (Array.isArray(row[2][key]) ? row[2][key].includes(code) : row[2][key] === code));

  // ---- filter and sort --------------------------------------------------------------------------------------------
  const sortKeys = [(row) => row[0], null, (row) => row[3], (row) => row[4][0] || "", (row) => row[5][0] || ""];

  const sort = () => {
    order = rows.slice();
    if (sortBy === 1) order.sort((a, b) => changeOf(a) - changeOf(b) || a.at - b.at);
    else {
      const key = sortKeys[sortBy];
      order = order.map((row) => [key(row).toLowerCase(), row]).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1].at - b[1].at)).map((pair) => pair[1]);
    }
    if (!ascending) order.reverse();
  };

  const filter = () => {
    const counts = new Array(data.changes.length).fill(0);
    const terms = needle.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    for (const row of order) {
      if (slice && !isIn(row, slice)) continue;
      if (!terms.every((term) => row.text.includes(term))) continue;
      const change = changeOf(row);
      counts[change] += 1;
      if (state !== null && change !== state) continue;
      shown.push(row);
    }
    for (const button of tools.querySelectorAll(".states button")) {
      const at = button.dataset.state;
      const n = at === "" ? counts.reduce((sum, n) => sum + n, 0) : counts[at];
      button.lastChild.textContent = n.toLocaleString("en");
      button.setAttribute("aria-pressed", String((at === "" ? null : Number(at)) === state));
      button.hidden = at !== "" && n === 0 && Number(at) !== state;
    }
    count.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} examples` + (complete ? "" : ", loading …");
    if (open && !shown.includes(open)) open = null;
    table.setAttribute("aria-rowcount", String(shown.length + 1));
    first = last = -1;
    draw();
  };

  // ---- word diff --------------------------------------------------------------------------------------------------
  const split = (text) => text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) || [];

  // Pieces of both texts as [kind, text], kind −1 only before, 0 both, 1 only now.
  const diff = (before, now) => {
    if (before === now) return [[0, before]];
    const a = split(before), b = split(now);
    let start = 0, end = 0;
    while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
    while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
    const pieces = [];
    const push = (kind, text) => {
      if (!text) return;
      const top = pieces[pieces.length - 1];
      if (top && top[0] === kind) top[1] += text;
      else pieces.push([kind, text]);
    };
    push(0, a.slice(0, start).join(""));
    const x = a.slice(start, a.length - end), y = b.slice(start, b.length - end);
    if (x.length * y.length > 1e6) {
      push(-1, x.join(""));
      push(1, y.join(""));
    } else {
      const width = y.length + 1;
      const common = new Uint16Array((x.length + 1) * width);
      for (let i = x.length - 1; i >= 0; i -= 1) {
        for (let j = y.length - 1; j >= 0; j -= 1) {
          common[i * width + j] = x[i] === y[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
        }
      }
      let i = 0, j = 0;
      while (i < x.length || j < y.length) {
        if (i < x.length && j < y.length && x[i] === y[j]) { push(0, x[i]); i += 1; j += 1; }
        else if (i < x.length && (j === y.length || common[(i + 1) * width + j] >= common[i * width + j + 1])) { push(-1, x[i]); i += 1; }
        else { push(1, y[j]); j += 1; }
      }
    }
    push(0, end ? a.slice(a.length - end).join("") : "");
    return pieces;
  };

  // Text that may also break after the marks of JSON and paths, not only within words.
  const breakable = (node, text) => {
    for (const part of text.split(/(?<=[,;:{}()\[\]/&?=])(?=\S)/u)) node.append(part, make("wbr"));
    return node;
  };

  // One side of a diff; `most` characters, beginning shortly before the first difference.
  const side = (node, pieces, kind, most) => {
    let skip = 0;
    if (most && pieces.length && pieces[0][0] === 0 && pieces[0][1].length > 90) skip = pieces[0][1].length - 40;
    let left = most || Infinity;
    if (skip) node.append("… ");
    for (const [of, text] of pieces) {
      if (of !== 0 && of !== kind) continue;
      let part = skip ? text.slice(skip) : text;
      skip = 0;
      if (part.length > left) part = part.slice(0, left) + " …";
      left -= part.length;
      breakable(of === 0 ? node : node.appendChild(make(kind < 0 ? "del" : "ins")), part);
      if (left <= 0) break;
    }
    return node;
  };

  // ---- drawing ----------------------------------------------------------------------------------------------------
  const passesText = (o) => (o[1] == null ? `${o[3]}/${o[4]}` : `${o[1]}/${o[2]} → ${o[3]}/${o[4]}`);
  const outcomeOf = (row) => {
    if (metric >= 0) return row[6][metric];
    return row[6].find((o, at) => o && o[0] === row[1] && (data.metrics[at].gates || !data.metrics.some((m) => m.gates)));
  };
  const columns = () => (data.paired ? ["example", "change", "input", "baseline", "head"] : ["example", "result", "input", "answer"]);

  const cell = (label, wide, ...children) => make("td", { role: "cell", class: wide ? "wide" : "" }, make("div", { class: "cell", "data-label": label }, ...children));

  const rowNode = (row, at) => {
    const change = data.changes[changeOf(row)];
    const outcome = outcomeOf(row);
    const tags = row[2].flatMap((codes, key) => (Array.isArray(codes) ? codes : codes < 0 ? [] : [codes]).map((code) => data.labels[key][1][code]));
    const tr = make("tr", { role: "row", class: "row" + (row === open ? " on" : ""), "aria-rowindex": at + 2 });
    const toggle = make("button", { type: "button", "aria-expanded": String(row === open), text: row[0] });
    tr.append(make("th", { role: "rowheader", scope: "row" }, make("div", { class: "cell id" }, toggle, make("small", { text: tags.join(" · ") }))));
    tr.append(make("td", { role: "cell" }, make("div", { class: "cell" }, make("span", { class: "badge " + change, text: (data.paired ? pairedWords : words)[change] }), outcome ? make("small", { text: passesText(outcome) }) : null)));
    tr.append(cell("input", true, breakable(document.createDocumentFragment(), (row[3] || "–").slice(0, 400))));
    const before = row[4][0] ?? "", now = row[5][0] ?? "";
    if (data.paired) {
      row.pieces = row.pieces || diff(before.slice(0, 4000), now.slice(0, 4000));
      const left = cell("baseline", true), right = cell("head", true);
      if (row[4].length) side(left.firstChild, row.pieces, -1, 400); else left.firstChild.append("–");
      if (row[5].length) side(right.firstChild, row.pieces, 1, 400); else right.firstChild.append("–");
      tr.append(left, right);
    } else tr.append(cell("answer", true, breakable(document.createDocumentFragment(), now.slice(0, 400) || "–")));
    tr.addEventListener("click", (event) => {
      if (getSelection().isCollapsed || event.target === toggle) flip(row, at);
    });
    return tr;
  };

  const detailNode = (row) => {
    const box = make("div", { class: "detail" });
    const tags = make("div", { class: "tags" });
    row[2].forEach((codes, key) => {
      for (const code of Array.isArray(codes) ? codes : codes < 0 ? [] : [codes]) tags.append(make("span", { class: "tag", text: `${data.labels[key][0]}=${data.labels[key][1][code]}` }));
    });
    if (tags.childNodes.length) box.append(tags);
    if (row[3]) box.append(make("div", {}, make("h4", { text: "input" }), make("pre", { class: "text", text: row[3], tabindex: "0" })));
    const trials = Math.max(row[4].length, row[5].length, 1);
    for (let trial = 0; trial < trials; trial += 1) {
      const before = row[4][trial], now = row[5][trial];
      const suffix = trials > 1 ? `, trial ${trial + 1}` : "";
      const sides = make("div", { class: "sides" });
      const pieces = diff(before ?? "", now ?? "");
      const text = (name, there, kind) => make("div", {}, make("h4", { text: name + suffix }), there == null ? make("p", { class: "faint", text: "none kept" }) : side(make("pre", { class: "text", tabindex: "0" }), data.paired && before != null && now != null ? pieces : [[0, there]], kind, 0));
      if (data.paired) sides.append(text("baseline", before, -1));
      sides.append(text(data.paired ? "head" : "answer", now, 1));
      box.append(sides);
    }
    const outcomes = row[6].map((o, at) => [o, data.metrics[at]]).filter(([o]) => o);
    if (outcomes.length) {
      const body = make("tbody");
      for (const [o, column] of outcomes) {
        const name = data.changes[o[0]];
        const because = [...new Set([o[8], o[9]].filter(Boolean))].join(" → ");
        body.append(make("tr", {}, make("th", { scope: "row", text: column.name + (column.gates ? "" : " (does not gate)") }),
          make("td", {}, make("span", { class: "badge " + name, text: (data.paired ? pairedWords : words)[name] })),
          make("td", { text: passesText(o) }),
          data.paired ? make("td", { text: o[5] ?? "–" }) : null, make("td", { text: o[6] ?? "–" }), make("td", { text: o[7] ?? "–" }), make("td", { text: because || "–" })));
      }
      const names = ["metric", "change", "passes", ...(data.paired ? ["baseline", "head"] : ["value"]), "right", "why"];
      box.append(make("div", { class: "scroll" }, make("table", {}, make("caption", { class: "quiet", text: "Scores of this example" }), make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col", text: name })))), body)));
    }
    const facts = [row[7] != null ? `latency ${Math.round(row[7])} ms` : null, row[8] != null ? `cost $${row[8]}` : null].filter(Boolean);
    if (facts.length) box.append(make("p", { class: "faint", text: facts.join(" · ") }));
    return make("tr", { role: "row", class: "open-detail" }, make("td", { role: "cell", colspan: columns().length }, box));
  };

  const top = make("tr", { class: "space", "aria-hidden": "true" }, make("td", {}));
  const bottom = make("tr", { class: "space", "aria-hidden": "true" }, make("td", {}));
  const body = make("tbody", { role: "rowgroup" });
  const table = make("table", { role: "table" });
  let openNode = null, openOf = null;

  const draw = () => {
    const openAt = open ? shown.indexOf(open) : -1;
    const offset = (at) => at * rowHeight + (openAt >= 0 && at > openAt ? detailHeight : 0);
    const from = grid.scrollTop, to = from + grid.clientHeight;
    let begin = Math.floor(from / rowHeight);
    if (openAt >= 0 && begin > openAt) begin = Math.max(openAt, Math.floor((from - detailHeight) / rowHeight));
    begin = Math.max(0, Math.min(begin, shown.length - 1) - 4);
    const end = Math.min(shown.length, Math.ceil(to / rowHeight) + 5);
    if (begin === first && end === last) return;
    first = begin;
    last = end;
    const nodes = [];
    for (let at = begin; at < end; at += 1) {
      nodes.push(rowNode(shown[at], at));
      if (at === openAt) {
        if (openOf !== open) { openNode = detailNode(open); openOf = open; }
        nodes.push(openNode);
      }
    }
    top.firstChild.style.height = `${offset(begin)}px`;
    const rest = Math.max(0, offset(shown.length) - offset(end));
    bottom.firstChild.style.height = `${rest}px`;
    const focused = document.activeElement && body.contains(document.activeElement) ? document.activeElement.closest("tr").getAttribute("aria-rowindex") : null;
    body.replaceChildren(...(begin > 0 ? [top] : []), ...nodes, ...(rest > 0 ? [bottom] : []));
    if (focused) body.querySelector(`tr[aria-rowindex="${focused}"] button`)?.focus({ preventScroll: true });
    if (!shown.length) body.replaceChildren(make("tr", { role: "row" }, make("td", { role: "cell", colspan: columns().length }, make("div", { class: "cell", text: "No example fits." }))));
    if (openAt >= begin && openAt < end && openNode) {
      const height = openNode.getBoundingClientRect().height;
      if (height && Math.abs(height - detailHeight) > 1) { detailHeight = height; first = -1; draw(); }
    }
  };

  const flip = (row, at) => {
    open = open === row ? null : row;
    detailHeight = 0;
    first = -1;
    draw();
    body.querySelector(`tr[aria-rowindex="${at + 2}"] button`)?.focus({ preventScroll: true });
  };

  const measure = () => {
    const probe = rows.length ? rowNode(rows[0], 0) : null;
    if (!probe) return;
    body.replaceChildren(probe);
    rowHeight = probe.getBoundingClientRect().height || 88;
    first = last = -1;
  };

  // ---- controls ---------------------------------------------------------------------------------------------------
  const headings = () => {
    const tr = make("tr", { role: "row" });
    columns().forEach((name, at) => {
      const button = make("button", { type: "button", text: name });
      const place = !data.paired && at === 3 ? 4 : at;
      button.addEventListener("click", () => {
        ascending = sortBy === place ? !ascending : true;
        sortBy = place;
        mark();
        sort();
        grid.scrollTop = 0;
        filter();
      });
      tr.append(make("th", { role: "columnheader", scope: "col", "data-place": place }, button));
    });
    table.append(make("caption", { class: "sr", text: "Examples; each row opens to show the whole of it" }), make("thead", { role: "rowgroup" }, tr), body);
    mark();
  };

  const mark = () => {
    for (const th of table.querySelectorAll("th[data-place]")) {
      const on = Number(th.dataset.place) === sortBy;
      th.setAttribute("aria-sort", on ? (ascending ? "ascending" : "descending") : "none");
      const button = th.firstChild;
      button.textContent = button.textContent.replace(/ [▲▼]$/u, "") + (on ? (ascending ? " ▲" : " ▼") : "");
    }
  };

  const controls = () => {
    const states = tools.querySelector(".states");
    const add = (value, text) => {
      const button = make("button", { type: "button", "data-state": value, "aria-pressed": "false" }, text, make("b", { text: "0" }));
      button.addEventListener("click", () => {
        const wanted = value === "" ? null : Number(value);
        state = state === wanted ? null : wanted;
        grid.scrollTop = 0;
        filter();
      });
      states.append(button);
    };
    add("", "all");
    data.changes.forEach((change, at) => add(String(at), (data.paired ? pairedWords : words)[change]));
    const metrics = byId("metric");
    const gating = data.metrics.some((m) => m.gates);
    metrics.append(make("option", { value: "-1", text: gating ? "all that gate" : "all" }));
    data.metrics.forEach((column, at) => metrics.append(make("option", { value: at, text: column.name + (gating && !column.gates ? " (does not gate)" : "") })));
    metrics.addEventListener("change", () => { metric = Number(metrics.value); sort(); grid.scrollTop = 0; filter(); });
    const slices = byId("slice");
    slices.append(make("option", { value: "", text: "all" }));
    data.labels.forEach(([key, values], at) => {
      const group = make("optgroup", { label: key });
      // A key with a value for every example is no way to choose among them; the search finds it.
      if (values.length > 200) return;
      values.forEach((value, code) => group.append(make("option", { value: `${at},${code}`, text: `${key}=${value}` })));
      slices.append(group);
    });
    slices.addEventListener("change", () => {
      slice = slices.value ? [slices.value.split(",").map(Number)] : null;
      grid.scrollTop = 0;
      filter();
    });
    const search = byId("search");
    let waiting = 0;
    search.addEventListener("input", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => { needle = search.value; grid.scrollTop = 0; filter(); });
    });
    byId("reset").addEventListener("click", () => {
      search.value = needle = "";
      metrics.value = "-1";
      slices.value = "";
      state = slice = null;
      metric = -1;
      sort();
      grid.scrollTop = 0;
      filter();
    });
    for (const place of document.querySelectorAll(".show, .slice")) {
      const at = data.metrics.findIndex((column) => column.name === place.dataset.metric);
      const parts = sliceParts(place.dataset.slice);
      if (at < 0 || !parts) continue;
      let button = place;
      if (place.matches(".slice")) {
        // The name of a cell leads to its examples.
        button = make("button", { type: "button", class: "link", text: place.textContent, title: "show the examples" });
        place.replaceChildren(button);
      }
      button.hidden = false;
      button.addEventListener("click", () => {
        metric = at;
        metrics.value = String(at);
        slice = parts.length ? parts : null;
        slices.value = parts.length === 1 ? parts[0].join(",") : "";
        if (slices.selectedIndex < 0) slices.value = "";
        state = null;
        sort();
        grid.scrollTop = 0;
        filter();
        byId("examples").scrollIntoView();
        grid.focus({ preventScroll: true });
      });
    }
  };

  // ---- start: after the first paint, in pieces ---------------------------------------------------------------------
  const chunks = [...document.querySelectorAll("script.rows")];
  const next = () => {
    addRows(JSON.parse(chunks.shift().textContent));
    complete = !chunks.length;
    if (!complete) setTimeout(next, 0);
    if (rowHeight === 0) {
      measure();
      sort();
      filter();
    } else if (complete) {
      sort();
      filter();
      document.documentElement.dataset.ready = "all";
    }
    if (complete) document.documentElement.dataset.ready = "all";
  };

  const start = () => {
    data = JSON.parse(headData.textContent);
    tools.hidden = grid.hidden = false;
    headings();
    grid.append(table);
    controls();
    grid.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
    new ResizeObserver(() => { if (rows.length) { measure(); draw(); } }).observe(grid);
    next();
  };
  requestAnimationFrame(() => setTimeout(start, 0));
})();
