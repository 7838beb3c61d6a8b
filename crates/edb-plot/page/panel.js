// What all panels have: colours, legend, axes, cursor and hatches.

const PALETTES = {
  light: { back: '#ffffff', text: '#222222', quiet: '#737373', frame: '#8c8c8c', grid: '#e6e6e6', yellow: '#c98a00', red: '#c81e1e', hatch: '#b4b4b4',
    series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] },
  dark: { back: '#121418', text: '#e2e2e2', quiet: '#969696', frame: '#6e6e6e', grid: '#2e3137', yellow: '#f0be3c', red: '#ff6e64', hatch: '#50545c',
    series: ['#56b4e9', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#f0e442', '#e6e6e6'] },
};

// The second time round the colours of states are paler.
const stateColor = (palette, word) => palette.series[word % 7] + (word < 7 ? '' : '80');

const isBright = (color) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 150 || color.length > 7;
};

const VIRIDIS = [[68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128], [94, 201, 98], [173, 220, 48], [253, 231, 37]];
const colorOfTime = (part) => {
  const at = Math.min(7, Math.floor(part * 8)), rest = part * 8 - at;
  return `rgb(${VIRIDIS[at].map((one, channel) => Math.round(one + (VIRIDIS[at + 1][channel] - one) * rest)).join(',')})`;
};

const element = (name, content = '', of = '') => {
  const made = document.createElement(name);
  made.textContent = content;
  if (of) made.className = of;
  return made;
};

const numberText = (value) => (value === null ? '' : Math.abs(value) >= 1e-4 && Math.abs(value) < 1e9 || value === 0 ? String(+value.toPrecision(12)) : value.toExponential());

const RIGHT = 44;

class Panel {
  constructor(spec, page) {
    this.spec = spec;
    this.page = page;
    this.isTimed = true;
    this.readouts = [];
    this.hidden = new Set();
    this.root = element('section', '', 'panel');
    if (spec.heading) this.root.append(element('h2', spec.heading));
    this.legend = element('div', '', 'legend');
    this.chart = element('div', '', 'chart');
    this.chart.tabIndex = 0;
    this.root.append(this.legend, this.chart);
  }

  get palette() {
    return PALETTES[this.page.theme];
  }

  place() {
    this.chart.style.height = this.height + 'px';
    this.chart.setAttribute('aria-label', this.names().join(', '));
  }

  // A legend entry; what can be hidden is a button.
  entry(name, description, color, isBox, key, unit) {
    const item = element(key === undefined ? 'span' : 'button');
    if (color) {
      const swatch = element('span', '', isBox ? 'swatch box' : 'swatch');
      swatch.dataset.color = color;
      item.append(swatch);
    }
    item.append(element('span', name, 'name'));
    if (description) item.append(element('span', description, 'about'));
    const value = element('span', '', 'value');
    item.append(value);
    if (unit) item.append(element('span', unit, 'unit'));
    if (key !== undefined) {
      item.setAttribute('aria-pressed', 'true');
      item.title = 'Show or hide';
      item.addEventListener('click', () => this.toggle(key, item));
    }
    this.legend.append(item);
    return value;
  }

  toggle(key, item) {
    if (this.hidden.has(key)) this.hidden.delete(key); else this.hidden.add(key);
    item.setAttribute('aria-pressed', String(!this.hidden.has(key)));
    this.redraw();
  }

  paintLegend() {
    for (const swatch of this.legend.querySelectorAll('.swatch')) {
      const [kind, at] = swatch.dataset.color.split(' ');
      swatch.style.background = kind === 'series' ? this.palette.series[at % 7] : kind === 'state' ? stateColor(this.palette, +at) : this.palette[kind];
    }
  }

  width() {
    return Math.max(240, this.root.clientWidth);
  }

  build() {
    this.drop();
    const { page, palette } = this;
    const axis = { stroke: palette.text, font: '12px "DejaVu Sans", Verdana, sans-serif', grid: { stroke: palette.grid, width: 1 }, ticks: { stroke: palette.frame, size: 5 } };
    const options = {
      width: this.width(),
      height: this.height,
      padding: [6, RIGHT, this.hasTimeAxis() ? 0 : 6, 0],
      legend: { show: false },
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      scales: this.scales(),
      axes: this.axes(axis),
      cursor: this.cursor(),
      select: { show: this.isTimed },
      hooks: {
        drawClear: [(plot) => this.clipped(plot, (context) => this.drawBack(context, plot))],
        draw: [(plot) => this.clipped(plot, (context) => this.draw(context, plot)), (plot) => this.frame(plot)],
        setCursor: [(plot) => this.moved(plot)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
    this.chart.style.height = '';
    this.plot = new uPlot(options, this.data(), this.chart);
    this.paintLegend();
    if (this.isTimed) page.listen(this.plot.over);
  }

  drop() {
    if (this.plot) this.plot.destroy();
    this.plot = null;
  }

  data() {
    return [[this.page.view[0], this.page.view[1]], [null, null]];
  }

  hasTimeAxis() {
    return true;
  }

  scales() {
    const [min, max] = this.page.view;
    const [low, high] = this.extent();
    return { x: { time: false, auto: false, min, max }, y: { auto: false, min: low, max: high, distr: this.isLog() ? 3 : 1 } };
  }

  isLog() {
    return false;
  }

  timeAxis(axis) {
    const page = this.page;
    return { ...axis, scale: 'x', size: 40, gap: 4, space: 60,
      splits: (plot, _, min, max) => {
        this.labels = new Map(ticks(min, max, plot.bbox.width / devicePixelRatio / (page.clock === 'utc' ? 95 : 105), page.clock));
        return [...this.labels.keys()];
      },
      values: (plot, splits) => splits.map((split) => this.labels.get(split) ?? '') };
  }

  axes(axis) {
    return [this.timeAxis(axis), { ...axis, scale: 'y', size: (plot, labels) => this.labelled(plot, labels), gap: 4, space: 24 }];
  }

  // The room left of the panel, which is that of all.
  labelled(plot, labels) {
    plot.ctx.font = `${12 * devicePixelRatio}px "DejaVu Sans", Verdana, sans-serif`;
    const widest = Math.max(0, ...(labels || []).map((label) => plot.ctx.measureText(label).width / devicePixelRatio));
    this.page.widen(Math.ceil(widest) + 18);
    return this.page.left;
  }

  cursor() {
    const { page } = this;
    return {
      y: false,
      points: { show: false },
      drag: { x: this.isTimed, y: false, setScale: false, dist: 4 },
      bind: {
        dblclick: () => () => page.reset(),
        mousedown: (plot, target, usual) => (event) => (event.shiftKey || event.button === 1 ? page.grab(event, plot) : usual(event)),
      },
    };
  }

  redraw() {
    if (!this.plot) return;
    if (this.isTimed) {
      const [min, max] = this.page.view;
      const [low, high] = this.extent();
      this.plot.batch(() => {
        this.plot.setData(this.data(), false);
        this.plot.setScale('x', { min, max });
        this.plot.setScale('y', { min: low, max: high });
      });
    }
    this.plot.redraw(false);
  }

  clipped(plot, draw) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = 1.4 * devicePixelRatio;
    ctx.lineJoin = 'round';
    draw(ctx);
    ctx.restore();
  }

  frame({ ctx, bbox }) {
    // The library remembers the style that it set last.
    ctx.save();
    ctx.strokeStyle = this.palette.frame;
    ctx.lineWidth = devicePixelRatio;
    ctx.strokeRect(bbox.left + 0.5, bbox.top + 0.5, bbox.width - 1, bbox.height - 1);
    ctx.restore();
  }

  x(plot) {
    const [min, max] = this.page.view;
    const { left, width } = plot.bbox;
    return (time) => left + ((time - min) / (max - min)) * width;
  }

  y(plot) {
    const { min, max } = plot.scales.y;
    const { top, height } = plot.bbox;
    if (this.isLog()) return (value) => top + (1 - Math.log(Math.max(value, Number.MIN_VALUE) / min) / Math.log(max / min)) * height;
    return (value) => top + (1 - (value - min) / (max - min)) * height;
  }

  // Lines across where nothing is known, and upright ones where nothing is although all is known.
  hatch(context, plot, about) {
    const { top, height } = plot.bbox;
    const x = this.x(plot), ratio = devicePixelRatio;
    context.strokeStyle = this.palette.hatch;
    context.lineWidth = ratio;
    for (const [spans, lean, apart] of [[about.unknown, height, 9], [about.absent, 0, 7]]) {
      for (const [from, to] of spans) {
        const left = Math.max(x(from), plot.bbox.left), right = Math.min(Math.max(x(to), x(from) + 1.5), plot.bbox.left + plot.bbox.width);
        if (right <= left) continue;
        context.save();
        context.beginPath();
        context.rect(left, top, right - left, height);
        context.clip();
        context.beginPath();
        for (let at = Math.floor((left - lean) / (apart * ratio)) * apart * ratio; at < right; at += apart * ratio) {
          context.moveTo(at, top + height);
          context.lineTo(at + lean, top);
        }
        context.stroke();
        context.restore();
      }
    }
  }

  drawBack() {}

  // Says that there is nothing to see.
  nothing(context, { bbox }) {
    context.font = `${12 * devicePixelRatio}px "DejaVu Sans", Verdana, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = this.palette.quiet;
    context.fillText('no samples in this view', bbox.left + bbox.width / 2, bbox.top + bbox.height / 2);
  }

  moved(plot) {
    if (this.isTimed) this.page.point(plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, 'x') : null, this);
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (!this.isTimed || width < 3) return;
    const view = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.page.show(view);
  }

  // How far from a moment a sample may lie that the crosshair is about, where no line connects samples: three pixels.
  near() {
    const [min, max] = this.page.view;
    return ((max - min) / Math.max(1, this.width() - this.page.left - RIGHT)) * 3;
  }

  names() {
    return [this.spec.about.name];
  }

  abouts() {
    return [this.spec.about];
  }

  hasSamples() {
    return this.isTimed;
  }

  // Intervals of which only extremes are here, in microseconds.
  columns() {
    return [];
  }
}
