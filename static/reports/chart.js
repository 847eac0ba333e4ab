// Stacked bars of cost by month. Every series has a pattern of its own, so that nothing is told by colour alone.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const strokes = {
        given: [],
        taken_back: [[0, 8, 8, 0]],
        redeemed: [[0, 4, 8, 4]],
        expired: [[0, 0, 8, 8]],
        adjusted: [[0, 8, 8, 0], [0, 0, 8, 8]],
    };
    const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

    function fill(column) {
        const colour = style(`--studio-${column}`);
        if (!strokes[column].length) return colour;
        const tile = document.createElement("canvas");
        tile.width = tile.height = 8;
        const pen = tile.getContext("2d");
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 8, 8);
        pen.strokeStyle = document.documentElement.classList.contains("dark") ? "#101a1c" : "#ffffff";
        pen.lineWidth = 1.5;
        for (const [x, y, toX, toY] of strokes[column]) {
            pen.beginPath();
            pen.moveTo(x, y);
            pen.lineTo(toX, toY);
            pen.stroke();
        }
        return pen.createPattern(tile, "repeat");
    }

    for (const canvas of document.querySelectorAll("[data-studio-cost]")) {
        const cost = JSON.parse(document.getElementById(canvas.dataset.studioCost).textContent);
        const money = new Intl.NumberFormat(cost.language, {style: "currency", currency: cost.currency, currencyDisplay: "narrowSymbol"});
        const whole = new Intl.NumberFormat(cost.language, {notation: "compact", maximumFractionDigits: 1});
        const minus = (text) => text.replace("-", "−");
        const chart = new Chart(canvas, {
            type: "bar",
            data: {
                labels: cost.months,
                datasets: cost.series.map((series) => ({label: series.name, column: series.column, data: series.values.map(Number), borderWidth: 1, maxBarThickness: 48})),
            },
            options: {
                animation: false,
                interaction: {mode: "index", intersect: false},
                maintainAspectRatio: false,
                plugins: {
                    legend: {display: true, position: "bottom", labels: {boxWidth: 18, boxHeight: 12}},
                    tooltip: {callbacks: {label: (item) => `${item.dataset.label}: ${minus(money.format(item.raw))}`}},
                },
                scales: {
                    x: {stacked: true, grid: {display: false}},
                    y: {stacked: true, title: {display: true, text: cost.label}, ticks: {callback: (value) => minus(whole.format(value))}},
                },
            },
        });
        const paint = () => {
            const text = style("--studio-text"), line = style("--studio-line");
            for (const series of chart.data.datasets) {
                series.backgroundColor = series.hoverBackgroundColor = fill(series.column);
                series.borderColor = series.hoverBorderColor = style(`--studio-${series.column}`);
            }
            chart.options.plugins.legend.labels.color = chart.options.scales.x.ticks.color = chart.options.scales.y.ticks.color = text;
            chart.options.scales.y.title.color = text;
            chart.options.scales.y.grid.color = line;
            chart.update();
        };
        paint();
        new MutationObserver(paint).observe(document.documentElement, {attributes: true, attributeFilter: ["class"]});
    }
});
