"use strict";
(function () {
  const FILTER_FROM_ROWS = 9;

  function sortValue(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.sort !== undefined) return parseNumber(cell.dataset.sort);
    return cell.textContent.trim();
  }

  function parseNumber(text) {
    if (text === "inf") return Infinity;
    if (text === "-inf") return -Infinity;
    return Number(text);
  }

  // Figures before words, unknown figures last in either direction.
  function compare(left, right, sign) {
    const leftIsNumber = typeof left === "number";
    const rightIsNumber = typeof right === "number";
    if (leftIsNumber && rightIsNumber) return left === right ? 0 : sign * (left < right ? -1 : 1);
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
    return sign * left.localeCompare(right, "en", { numeric: true });
  }

  function makeSortable(table) {
    const body = table.tBodies[0];
    const heads = table.querySelectorAll("tr.heads th");
    heads.forEach(function (head, column) {
      const button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        const descending = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        table.classList.add("sorted");
        Array.from(body.rows)
          .map(function (row) { return { row: row, value: sortValue(row, column) }; })
          .sort(function (a, b) { return compare(a.value, b.value, descending ? -1 : 1); })
          .forEach(function (entry) { body.appendChild(entry.row); });
      });
    });
  }

  function makeFilterable(before, items, label) {
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = "Filter rows";
    input.setAttribute("aria-label", "Filter: " + label);
    const shown = document.createElement("span");
    shown.setAttribute("role", "status");
    const box = document.createElement("div");
    box.className = "filter";
    box.append(input, shown);
    before.parentNode.insertBefore(box, before);
    input.addEventListener("input", function () {
      const wanted = input.value.trim().toLowerCase();
      let count = 0;
      items.forEach(function (item) {
        const matches = item.textContent.toLowerCase().includes(wanted);
        item.hidden = !matches;
        if (matches) count += 1;
      });
      shown.textContent = wanted ? count + " of " + items.length + " rows" : "";
    });
  }

  document.querySelectorAll("table.data").forEach(function (table) {
    const rows = Array.from(table.tBodies[0].rows);
    if (rows.length > 1) makeSortable(table);
    if (rows.length >= FILTER_FROM_ROWS) {
      const caption = table.closest("figure").querySelector("figcaption");
      makeFilterable(table.closest(".scroll"), rows, caption.textContent);
    }
  });
  document.querySelectorAll("table.criteria").forEach(function (table) {
    const items = Array.from(table.tBodies);
    if (items.length >= FILTER_FROM_ROWS) {
      makeFilterable(table.closest(".scroll"), items, table.caption.textContent);
    }
  });
})();
