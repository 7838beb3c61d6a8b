// The page: one view and one crosshair for all panels.

const figure = JSON.parse(document.getElementById('figure').textContent);
const KINDS = { values: ValuePanel, states: StatePanel, messages: MessagePanel, histogram: HistogramPanel, phase: PhasePanel };

const page = {
  range: [figure.start, figure.stop],
  view: [figure.start, figure.stop],
  clock: figure.clock,
  theme: figure.theme === 'dark' || matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
  isLogToggled: false,
  time: null,
  // What the widest label beside a panel needs: all panels begin there.
  left: 58,
  history: [],
  panels: [],

  // The narrowest view is a millisecond, the step of the service's times.
  show(view, isStep = true) {
    let [start, stop] = view;
    if (!(stop - start >= 1000)) {
      const middle = (start + stop) / 2;
      [start, stop] = [middle - 500, middle + 500];
    }
    const [first, last] = this.range, reach = last - first;
    if (stop - start >= reach) [start, stop] = [first, last];
    else if (start < first) [start, stop] = [first, first + (stop - start)];
    else if (stop > last) [start, stop] = [last - (stop - start), last];
    if (start === this.view[0] && stop === this.view[1]) return;
    if (isStep) this.history.push(this.view);
    this.view = [start, stop];
    this.update();
  },

  reset() {
    this.show(this.range);
  },

  back() {
    const view = this.history.pop();
    if (view) this.show(view, false);
  },

  zoom(factor, around = (this.view[0] + this.view[1]) / 2, isStep = true) {
    const [start, stop] = this.view;
    this.show([around - (around - start) * factor, around + (stop - around) * factor], isStep);
  },

  pan(part, isStep = true) {
    const by = (this.view[1] - this.view[0]) * part;
    this.show([this.view[0] + by, this.view[1] + by], isStep);
  },

  // Many events in one frame are one drawing.
  update() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.refresh();
    });
  },

  refresh() {
    for (const panel of this.panels) panel.isStale = true;
    this.draw();
    this.resolution();
  },

  draw() {
    for (const panel of this.panels) {
      if (!panel.isNear || !panel.isStale) continue;
      panel.isStale = false;
      if (panel.plot) panel.redraw(); else panel.build();
      if (this.time !== null) panel.tell(this.time, false);
    }
  },

  // Makes room for a label that is wider than those before.
  widen(left) {
    if (left <= this.left) return;
    this.left = left;
    if (this.isWidening) return;
    this.isWidening = true;
    requestAnimationFrame(() => {
      this.isWidening = false;
      document.documentElement.style.setProperty('--left', this.left + 'px');
      this.rebuild();
    });
  },

  rebuild() {
    for (const panel of this.panels) {
      if (panel.plot) panel.chart.style.height = panel.height + 'px';
      panel.drop();
    }
    this.refresh();
  },

  // Whether the pixels of the view are narrower than the intervals of which only extremes are here.
  resolution() {
    const pixel = (this.view[1] - this.view[0]) / Math.max(1, innerWidth - this.left - RIGHT);
    const columns = this.panels.flatMap((panel) => panel.columns());
    const status = document.getElementById('resolution');
    const widest = Math.max(0, ...columns);
    status.classList.toggle('short', widest > pixel);
    const hasSamples = this.panels.some((panel) => panel.hasSamples());
    if (columns.length === 0) status.textContent = hasSamples ? 'Every sample is in this page.' : 'This page has statistics, and no samples.';
    else if (widest <= pixel) status.textContent = `This page has the extremes of every ${duration(widest)}: this view is drawn as from every sample.`;
    else status.textContent = `This view is finer than the page: of every ${duration(widest)} only the first, the lowest, the highest and the last sample are here. For all of them draw a shorter range.`;
  },

  // The crosshair of one panel is that of all.
  point(time, from) {
    if (this.isPointing) return;
    this.isPointing = true;
    this.time = time;
    document.getElementById('now').textContent = time === null ? '' : `${moment(time, 'utc')} UTC    ${moment(time, 'doy')}    MJD ${moment(time, 'mjd')}`;
    if (time === null) this.tip('');
    for (const panel of this.panels) {
      if (panel.plot && panel !== from && panel.isTimed) {
        panel.plot.setCursor(time === null ? { left: -10, top: -10 } : { left: panel.plot.valToPos(time, 'x'), top: 0 }, false);
      }
      if (panel.isNear && panel.plot) panel.tell(time, panel === from);
    }
    this.isPointing = false;
  },

  tip(text) {
    const tip = document.getElementById('tip');
    tip.hidden = !text;
    tip.textContent = text;
    if (!text || !this.mouse) return;
    const { clientX, clientY } = this.mouse;
    tip.style.left = Math.max(4, Math.min(clientX + 14, innerWidth - tip.offsetWidth - 8)) + 'px';
    tip.style.top = (clientY + 18 + tip.offsetHeight > innerHeight ? clientY - tip.offsetHeight - 10 : clientY + 18) + 'px';
  },

  listen(over) {
    over.addEventListener('wheel', (event) => {
      event.preventDefault();
      const { left, width } = over.getBoundingClientRect();
      const [start, stop] = this.view;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(((event.deltaX || event.deltaY) / width) * 0.8, false);
      else this.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 400))), start + ((event.clientX - left) / width) * (stop - start), false);
    }, { passive: false });
  },

  // Dragging with Shift, or the middle button, moves the view.
  grab(event, plot) {
    event.preventDefault();
    const width = plot.over.clientWidth, from = event.clientX, view = this.view;
    this.history.push(view);
    const move = (moved) => {
      const by = ((from - moved.clientX) / width) * (view[1] - view[0]);
      this.show([view[0] + by, view[1] + by], false);
    };
    const end = () => {
      removeEventListener('mousemove', move);
      removeEventListener('mouseup', end);
    };
    addEventListener('mousemove', move);
    addEventListener('mouseup', end);
  },

  setTheme(theme) {
    this.theme = theme;
    document.documentElement.dataset.theme = theme;
    this.rebuild();
  },

  nextClock() {
    const clocks = ['utc', 'doy', 'mjd'];
    this.clock = clocks[(clocks.indexOf(this.clock) + 1) % 3];
    this.rebuild();
  },

  toggleLog() {
    this.isLogToggled = !this.isLogToggled;
    this.rebuild();
  },

  // The view as a picture: title, legends and panels, as they are.
  async png() {
    for (const panel of this.panels) {
      panel.isNear = true;
      if (!panel.plot) panel.build();
    }
    const ratio = devicePixelRatio, palette = PALETTES[this.theme], font = '"DejaVu Sans", Verdana, sans-serif';
    const width = Math.max(...this.panels.map((panel) => panel.plot.ctx.canvas.width), 320);
    const heights = this.panels.map((panel) => panel.plot.ctx.canvas.height + (panel.spec.heading ? 42 : 22) * ratio);
    const canvas = document.createElement('canvas');
    canvas.width = width;
    canvas.height = heights.reduce((all, height) => all + height, 70 * ratio);
    const context = canvas.getContext('2d');
    context.fillStyle = palette.back;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const write = (text, x, y, size, color) => {
      context.font = `${size * ratio}px ${font}`;
      context.fillStyle = color;
      context.fillText(text, x * ratio, y);
      return context.measureText(text).width / ratio;
    };
    write(`${figure.title}   ${figure.span}`, 12, 22 * ratio, 15, palette.text);
    write(`${moment(this.view[0], this.clock)} to ${moment(this.view[1], this.clock)}`, 12, 40 * ratio, 12, palette.quiet);
    let top = 48 * ratio;
    this.panels.forEach((panel, at) => {
      let line = top + 15 * ratio, x = this.left;
      if (panel.spec.heading) {
        write(panel.spec.heading, this.left, line, 13, palette.text);
        line += 19 * ratio;
      }
      for (const item of panel.legend.children) {
        const swatch = item.querySelector('.swatch');
        if (item.getAttribute('aria-pressed') === 'false') continue;
        if (swatch) {
          context.fillStyle = swatch.style.background;
          context.fillRect(x * ratio, line - 7 * ratio, 15 * ratio, 5 * ratio);
          x += 22;
        }
        x += write(item.querySelector('.name').textContent, x, line, 12, palette.text) + 18;
      }
      context.drawImage(panel.plot.ctx.canvas, 0, line + 6 * ratio);
      top += heights[at];
    });
    write(figure.footer, 12, canvas.height - 8 * ratio, 10.5, palette.quiet);
    return new Promise((done) => { canvas.toBlob(done, 'image/png'); });
  },

  // The samples of the view that are here, a row each.
  csv() {
    const [start, stop] = this.view;
    const rows = this.panels.filter((panel) => panel.isTimed).flatMap((panel) => panel.rows(start, stop));
    rows.sort((one, other) => one[0] - other[0]);
    const text = (value) => (/[",\n\r#]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value);
    const iso = (time) => (time === '' ? '' : moment(time, 'utc', 6).replace(' ', 'T') + 'Z');
    const lines = rows.map(([time, name, value, low, high, words, until]) => [iso(time), text(name), value, low, high, text(words), iso(until)].join(','));
    const notes = [`${figure.title}   ${figure.span}`, document.getElementById('resolution').textContent, ...figure.provenance].map((line) => `# ${line}\n`).join('');
    return `${notes}# a state is a row: it stood from time to until, and was not sampled at time where it held before\ntime,name,value,low,high,text,until\n${lines.join('\n')}\n`;
  },

  save(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  },
};

const TOOLS = [
  ['Reset', '0', 'The whole range (double click)', () => page.reset()],
  ['Back', 'Backspace', 'The view before', () => page.back()],
  ['+', '+', 'Zoom in (wheel, or drag across what is to be seen)', () => page.zoom(0.5)],
  ['\u2212', '-', 'Zoom out (wheel)', () => page.zoom(2)],
  ['\u2190', 'ArrowLeft', 'Earlier (Shift and drag, or Shift and wheel)', () => page.pan(-0.25)],
  ['\u2192', 'ArrowRight', 'Later', () => page.pan(0.25)],
  ['Log', 'l', 'Logarithmic value axes, where all values are above zero', () => page.toggleLog()],
  ['Clock', 'c', 'UTC, day of year, MJD', () => page.nextClock()],
  ['Theme', 't', 'Light or dark', () => page.setTheme(page.theme === 'dark' ? 'light' : 'dark')],
  ['PNG', 'p', 'The view as a picture', async () => page.save(await page.png(), 'edb-view.png')],
  ['CSV', 'e', 'The samples of the view that are in this page', () => page.save(new Blob([page.csv()], { type: 'text/csv' }), 'edb-view.csv')],
  ['Notes', 'n', 'What there is to tell of the data', () => {
    const notes = document.getElementById('notes');
    notes.open = !notes.open;
    if (notes.open) notes.scrollIntoView();
  }],
];

const notes = () => {
  const list = element('ul');
  const add = (text) => list.append(element('li', text));
  figure.notices.forEach(add);
  const span = ([start, stop]) => `${moment(start, 'utc')} to ${moment(stop, 'utc')} (${duration(stop - start)})`;
  const told = new Set();
  for (const about of page.panels.flatMap((panel) => panel.abouts())) {
    for (const [words, spans] of [['not known', about.unknown], ['no samples', about.absent]]) {
      if (spans.length === 0 || told.has(words + about.name)) continue;
      told.add(words + about.name);
      const shown = spans.slice(0, 20).map(span).join('; ');
      add(`${about.name}: ${words} in ${shown}${spans.length > 20 ? ` and ${spans.length - 20} more` : ''}`);
    }
  }
  figure.provenance.forEach(add);
  const keys = element('p', 'Keys: ');
  for (const [name, key, about] of TOOLS) keys.append(element('kbd', key), ` ${name.length > 1 ? name : ''} ${about}.  `);
  document.getElementById('notes').append(list, keys);
};

const begin = () => {
  document.documentElement.dataset.theme = page.theme;
  document.querySelector('h1').append(element('span', figure.title), ' ', element('small', figure.span));
  document.querySelector('footer').textContent = figure.footer;
  const tools = document.getElementById('tools');
  for (const [name, key, about, act] of TOOLS) {
    const button = element('button', name);
    button.title = `${about} [${key}]`;
    button.addEventListener('click', act);
    tools.append(button);
  }
  const main = document.querySelector('main');
  for (const spec of figure.panels) {
    const panel = new KINDS[spec.kind](spec, page);
    page.panels.push(panel);
    main.append(panel.root);
  }
  // Only what is near to being seen is drawn.
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const panel = page.panels.find((one) => one.root === entry.target);
      panel.isNear = entry.isIntersecting;
      if (panel.isNear && !panel.plot) panel.isStale = true;
    }
    page.draw();
  }, { rootMargin: '400px' });
  for (const panel of page.panels) watcher.observe(panel.root);
  addEventListener('mousemove', (event) => { page.mouse = event; });
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tool = TOOLS.find(([, key]) => key === event.key || (key === '+' && event.key === '=') || (key === '0' && event.key === 'Home'));
    if (!tool) return;
    event.preventDefault();
    tool[3]();
  });
  let width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth !== width) page.rebuild();
    width = innerWidth;
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => page.setTheme(event.matches ? 'dark' : 'light'));
  const abouts = page.panels.flatMap((panel) => panel.abouts());
  for (const [words, of, kind] of [['not known', 'unknown', 'slanted'], ['no samples', 'absent', 'upright']]) {
    if (!abouts.some((about) => about[of].length > 0)) continue;
    document.getElementById('shades').append(element('span', '', `shade ${kind}`), element('span', words));
  }
  page.resolution();
  notes();
};

begin();
