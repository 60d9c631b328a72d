"use strict";
// The table of trades: filter, sort, pages, and one trade opened to its chart.
// Everything from outside becomes text nodes, never markup.
(() => {
  const PAGE = 50;
  const columns = JSON.parse(document.getElementById("data-trades").textContent);
  const rows = columns.trade_id.map((_, i) =>
    Object.fromEntries(Object.keys(columns).map((name) => [name, columns[name][i]])));

  const fixed = (digits) => new Intl.NumberFormat("en-US",
    { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const minus = (text) => text.replace("-", "\u2212");
  const show = {
    text: (v) => v ?? "\u2013",
    price: (v) => (v === null ? "\u2013" : fixed(Math.abs(v) < 1 ? 4 : 2).format(v)),
    money: (v) => (v === null ? "\u2013" : minus(fixed(2).format(v))),
    shares: (v) => (v === null ? "\u2013" : new Intl.NumberFormat("en-US").format(v)),
    percent: (v) => (v === null ? "\u2013" :
      `${v > 0 ? "+" : ""}${minus(fixed(2).format(v * 100))}\u00a0%`),
    marks: (_, row) => marksOf(row).join(", "),
  };
  const marksOf = (row) => ["ambiguous", "assumed", "unknown_volume"]
    .filter((name) => row[name]).map((name) => name.replace("_", " "));

  // [column, heading, how it is shown, hidden on a narrow screen]
  const shown = [
    ["trade_id", "#", "text"], ["symbol", "symbol", "text"],
    ["fiscal_period", "period", "text", true], ["side", "side", "text", true],
    ["entry_at", "entry", "text"], ["entry_phase", "phase", "text", true],
    ["entry_price", "at", "price", true], ["exit_at", "exit", "text", true],
    ["exit_price", "at", "price", true], ["reason", "exit by", "text", true],
    ["return_gross", "gross", "percent", true], ["return_net", "net", "percent"],
    ["pnl", "P&L", "money", true], ["marks", "marks", "marks", true],
  ];
  const facts = [
    ["reference_date", "Reference date", "text"], ["reference_close", "Reference close", "price"],
    ["decided_at", "Decided at", "text"], ["entry_at", "Entry", "text"],
    ["entry_phase", "Entry phase", "text"], ["entry_price", "Entry price", "price"],
    ["exit_at", "Exit", "text"], ["exit_price", "Exit price", "price"],
    ["return_gross", "Return before costs", "percent"],
    ["return_net", "Return after costs", "percent"],
    ["return_other", "Return under the other order of touches", "percent"],
    ["shares", "Shares", "shares"], ["pnl", "Profit and loss", "money"], ["marks", "Marks", "marks"],
  ];
  const isNumber = (kind) => ["price", "percent", "money", "shares"].includes(kind);

  function make(tag, properties = {}, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  const table = document.getElementById("trade-table");
  const form = document.getElementById("filters");
  const state = { sort: "trade_id", down: false, page: 0, open: null };
  const chartOf = (id) => document.getElementById(`chart-${id}`);

  function kept() {
    const wish = Object.fromEntries(new FormData(form));
    const text = wish.text.trim().toLowerCase();
    return rows.filter((row) =>
      (!text || `${row.symbol} ${row.fiscal_period ?? ""}`.toLowerCase().includes(text)) &&
      (!wish.side || row.side === wish.side) &&
      (!wish.reason || row.reason === wish.reason) &&
      (!wish.result || (wish.result === "gain") === (row.return_net > 0)) &&
      (!wish.mark || (wish.mark === "none" ? !marksOf(row).length : row[wish.mark])) &&
      (!wish.charted || chartOf(row.trade_id)));
  }

  function sorted(list) {
    const value = (row) => (state.sort === "marks" ? marksOf(row).join() : row[state.sort]);
    const sign = state.down ? -1 : 1;
    return list.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === y) return a.trade_id - b.trade_id;
      if (x === null) return 1; // unknown comes last, whichever way
      if (y === null) return -1;
      return x < y ? -sign : sign;
    });
  }

  function drawHead() {
    const cells = shown.map(([name, heading, kind, wide]) => {
      const button = make("button", { type: "button" }, heading);
      button.addEventListener("click", () => {
        state.down = state.sort === name ? !state.down : isNumber(kind);
        Object.assign(state, { sort: name, page: 0 });
        drawTable();
      });
      const cell = make("th", { scope: "col", className: classOf(kind, wide) }, button);
      if (state.sort === name) cell.ariaSort = state.down ? "descending" : "ascending";
      return cell;
    });
    table.tHead.replaceChildren(make("tr", {}, ...cells));
  }

  const classOf = (kind, wide) => [isNumber(kind) ? "n" : "", wide ? "wide" : ""].join(" ").trim();

  function drawRow(row) {
    const cells = shown.map(([name, , kind, wide]) => {
      const text = String(show[kind](row[name], row));
      const sign = kind === "percent" && row[name] ? (row[name] > 0 ? " up" : " down") : "";
      const cell = make("td", { className: classOf(kind, wide) + sign });
      if (name === "trade_id") {
        const link = make("a", { href: `#trade-${row.trade_id}`, className: "open" }, text);
        link.title = chartOf(row.trade_id) ? "show its chart" : "show its details";
        cell.append(link);
      } else cell.append(make("bdi", {}, text));
      return cell;
    });
    const line = make("tr", { className: chartOf(row.trade_id) ? "charted" : "" }, ...cells);
    line.dataset.trade = row.trade_id;
    return line;
  }

  function drawTable() {
    drawHead();
    const list = sorted(kept());
    const pages = Math.max(1, Math.ceil(list.length / PAGE));
    if (state.open !== null) {
      const at = list.findIndex((row) => row.trade_id === state.open);
      if (state.seek && at >= 0) state.page = Math.floor(at / PAGE);
    }
    state.seek = false;
    state.page = Math.min(state.page, pages - 1);
    const part = list.slice(state.page * PAGE, (state.page + 1) * PAGE);
    table.tBodies[0].replaceChildren(...part.map(drawRow));
    const opened = part.find((row) => row.trade_id === state.open);
    if (opened) drawDetail(opened);
    sayCount(list);
    drawPages(pages);
  }

  function sayCount(list) {
    const known = list.map((row) => row.return_net).filter((v) => v !== null);
    const mean = known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
    const all = list.length === rows.length ? `${rows.length} trades` :
      `${list.length} of ${rows.length} trades`;
    document.getElementById("trade-count").textContent = rows.length ?
      `${all}, mean return after costs ${show.percent(mean)}. ` +
      "Choose a row to see the trade, a heading to sort." : "No event became a trade.";
  }

  function drawPages(pages) {
    const turn = (by, text) => {
      const button = make("button", { type: "button" }, text);
      button.disabled = state.page + by < 0 || state.page + by >= pages;
      button.addEventListener("click", () => { state.page += by; drawTable(); });
      return button;
    };
    document.getElementById("pages").replaceChildren(...(pages < 2 ? [] :
      [turn(-1, "\u2190 before"), ` page ${state.page + 1} of ${pages} `, turn(1, "next \u2192")]));
  }

  async function unpack(id) {
    const bytes = Uint8Array.from(atob(chartOf(id).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).json();
  }

  function newsItem(item) {
    const title = make("bdi", {}, item.title);
    let shownTitle = title;
    // Checked where the page was written, and again here: no other kind of address is a link.
    if (/^https?:\/\//i.test(item.url)) {
      shownTitle = make("a", { href: item.url, rel: "noopener noreferrer", target: "_blank" }, title);
    }
    const source = item.provider ? make("bdi", { className: "small" }, ` ${item.provider}`) : "";
    return make("li", {}, make("span", { className: "small" }, `${item.time} `), shownTitle, source);
  }

  async function drawDetail(row) {
    const id = row.trade_id;
    const line = table.querySelector(`tr[data-trade="${id}"]`);
    line.classList.add("opened");
    const close = make("a", { href: "#trades", className: "close" }, "close");
    // The other order of touches says something only where one bar touched both levels.
    const told = facts.filter(([name]) => name !== "return_other" || row.ambiguous);
    const list = make("dl", { className: "facts" }, ...told.map(([name, label, kind]) =>
      make("div", {}, make("dt", {}, label), make("dd", {}, make("bdi", {},
        String(show[kind](row[name], row) || "none"))))));
    const plot = make("div", { className: "plot" });
    const news = make("ul", { className: "news" });
    const title = make("h3", {}, make("bdi", {},
      [row.symbol, row.fiscal_period, row.side].filter(Boolean).join(" ")));
    const box = make("div", { className: "detail-box" }, close, title,
      make("div", { className: "scroll" }, plot), news, list);
    const cell = make("td", { colSpan: shown.length }, box);
    line.after(make("tr", { className: "detail", id: `trade-${id}` }, cell));
    if (!chartOf(id)) {
      plot.replaceWith("This report carries no chart of this trade.");
      return;
    }
    const { figure, news: items } = await unpack(id);
    news.append(...items.map(newsItem));
    if (!figure.data) plot.replaceWith("No bars are stored for this trade.");
    else await draw(plot, figure);
    box.dataset.ready = "yes";
  }

  function openFromAddress() {
    const match = /^#trade-(-?\d+)$/.exec(location.hash);
    const id = match ? Number(match[1]) : null;
    if (match && !rows.some((row) => row.trade_id === id)) {
      sayProblem(`There is no trade ${id} on this page.`);
      return;
    }
    if (id === null && state.open === null) return;
    state.open = id;
    state.seek = true;
    if (id !== null && !kept().some((row) => row.trade_id === id)) form.reset();
    drawTable();
    document.getElementById(`trade-${id}`)?.previousSibling.scrollIntoView({ block: "start" });
  }

  for (const name of ["side", "reason"]) {
    const values = [...new Set(columns[name].filter((v) => v !== null))].sort();
    form.elements[name].append(...values.map((v) => make("option", { value: v }, v)));
  }
  form.hidden = rows.length < 2;
  table.hidden = !rows.length;
  form.addEventListener("input", () => { state.page = 0; drawTable(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { state.page = 0; drawTable(); }));
  table.tBodies[0].addEventListener("click", (event) => {
    const line = event.target.closest("tr[data-trade]");
    if (!line || event.target.closest("a")) return;
    const id = Number(line.dataset.trade);
    location.hash = state.open === id ? "#trades" : `#trade-${id}`;
  });
  window.addEventListener("hashchange", openFromAddress);
  drawTable();
  openFromAddress();
})();
