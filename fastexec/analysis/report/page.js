const charts = JSON.parse(document.getElementById("charts").textContent);
const figures = [...document.querySelectorAll("figure[data-chart]")];
const config = { displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
function draw(figure) {
  const pick = figure.querySelector("select"), plot = figure.querySelector(".plot");
  const number = pick ? pick.selectedIndex : 0, view = charts[figure.dataset.chart][number];
  const legend = view.named.length > 1 ? view.named.reduce((sum, name) => sum + 7 * name.length + 50, 0) : 0;
  const shrunk = document.body.classList.contains("printing") && view.height < 470 ? 0.8 : 1;
  const height = shrunk * view.height + 20 * Math.ceil(legend / plot.clientWidth);
  const showlegend = view.named.length > 1 && view.layout.showlegend !== false;
  // Drawn again, for another width or on paper, it keeps who is hidden, and in the same view what is zoomed.
  const kept = { uirevision: number, legend: { ...view.layout.legend, uirevision: "same" } };
  figure.querySelector(".view-note").textContent = view.note;
  const layout = { ...view.layout, ...kept, height, showlegend, width: plot.clientWidth };
  // Twice: how much room a legend of several rows takes is known only once it is drawn.
  return Plotly.react(plot, view.data, layout, config).then(() => Plotly.react(plot, view.data, { ...layout }, config));
}
// A table that is wider than the page is shown as cards, a row each: no column is hidden.
const scroll = document.querySelector(".scroll");
function fit() {
  scroll.classList.remove("cards");
  scroll.classList.toggle("cards", scroll.scrollWidth > scroll.clientWidth + 1);
}
figures.forEach((figure) => {
  draw(figure);
  figure.querySelector("select")?.addEventListener("change", () => draw(figure));
});
const printing = (on) => {
  document.body.classList.toggle("printing", on);
  fit();
  figures.forEach(draw);
};
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) {
    fit();
    figures.forEach(draw);
  }
  width = innerWidth;
});
addEventListener("beforeprint", () => printing(true));
addEventListener("afterprint", () => printing(false));
