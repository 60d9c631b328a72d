"use strict";
// Draws plotly figures into the page.
const figures = JSON.parse(document.getElementById("data-figures").textContent);
const touch = matchMedia("(pointer: coarse)").matches;
const config = {
  responsive: true,
  displaylogo: false,
  showTips: false,
  // Plotly's own set of buttons holds one that sends the chart away: only these, then.
  showSendToCloud: false,
  plotlyServerURL: "",
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  displayModeBar: touch ? false : "hover",
};

function draw(place, figure) {
  // A finger that scrolls the page must not be caught by a chart.
  if (touch) figure.layout.dragmode = false;
  place.style.minHeight = "";
  const buttons = figure.data.length ? {} : { displayModeBar: false };
  return Plotly.newPlot(place, figure.data, figure.layout, { ...config, ...buttons });
}

for (const place of document.querySelectorAll("[data-figure]")) {
  draw(place, figures[place.dataset.figure]);
}

// A printed page is narrower than most windows: a sheet's width in CSS pixels, both margins off.
const SHEET = 680;
const plots = () => document.querySelectorAll(".js-plotly-plot");
window.addEventListener("beforeprint", () => plots().forEach((plot) => {
  if (plot.clientWidth > SHEET) Plotly.relayout(plot, { width: SHEET });
}));
window.addEventListener("afterprint", () => plots().forEach((plot) =>
  Plotly.relayout(plot, { width: null, autosize: true })));
