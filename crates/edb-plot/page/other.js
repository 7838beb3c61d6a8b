// Panels of texts, histograms and phases.

class TextPanel extends Panel {
  constructor(spec, page) {
    super(spec, page);
    this.times = readTimes(spec.times);
    this.readout = this.entry(spec.about.name + (spec.about.count === 0 ? ' (no samples)' : ''), spec.about.description, '', false);
  }

  extent() {
    return [0, 1];
  }

  hasTimeAxis() {
    return false;
  }

  axes(axis) {
    return [{ ...this.timeAxis(axis), size: 0, values: () => [], ticks: { show: false } }, { ...axis, scale: 'y', size: () => this.page.left, values: () => [], splits: () => [], ticks: { show: false }, grid: { show: false } }];
  }

  columns() {
    return this.spec.column === null ? [] : [this.spec.column];
  }
}

class StatePanel extends TextPanel {
  constructor(spec, page) {
    super(spec, page);
    this.height = 46;
    this.lengths = readValues(spec.lengths);
    this.masks = readValues(spec.masks);
    spec.words.forEach((word, at) => this.entry(word.trim() || '(blank)', '', `state ${at}`, true, at));
    this.place();
  }

  words(at) {
    return this.spec.words.map((_, word) => word).filter((word) => this.masks[at] & (1 << word) && !this.hidden.has(word));
  }

  draw(context, plot) {
    this.hatch(context, plot, this.spec.about);
    if (this.times.length === 0) this.nothing(context, plot);
    const [start, stop] = this.page.view, x = this.x(plot), ratio = devicePixelRatio;
    const top = plot.bbox.top + 3 * ratio, height = plot.bbox.height - 6 * ratio;
    let pending = null;
    const flush = () => {
      if (!pending) return;
      pending.words.forEach((word, at) => {
        context.fillStyle = stateColor(this.palette, word);
        context.fillRect(pending.left, top + (height * at) / pending.words.length, ratio, height / pending.words.length);
      });
      pending = null;
    };
    context.font = `${11 * ratio}px "DejaVu Sans", Verdana, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const last = place(this.times, stop);
    for (let at = Math.max(0, place(this.times, start) - 1); at < last; at++) {
      const left = x(this.times[at]), right = x(this.times[at] + this.lengths[at]), words = this.words(at);
      if (words.length === 0) continue;
      if (right - left < ratio) {
        // States that share a pixel share its height.
        const column = Math.floor(left);
        if (!pending || pending.left !== column) {
          flush();
          pending = { left: column, words: [] };
        }
        for (const word of words) if (!pending.words.includes(word)) pending.words.push(word);
        continue;
      }
      flush();
      words.forEach((word, row) => {
        const color = stateColor(this.palette, word), name = this.spec.words[word].trim();
        context.fillStyle = color;
        context.fillRect(left, top + (height * row) / words.length, right - left, height / words.length);
        const from = Math.max(left, plot.bbox.left), to = Math.min(right, plot.bbox.left + plot.bbox.width);
        if (words.length === 1 && context.measureText(name).width + 10 * ratio < to - from) {
          context.fillStyle = isBright(color) ? '#000' : '#fff';
          context.fillText(name, (from + to) / 2, top + height / 2);
        }
      });
      context.fillStyle = this.palette.back;
      context.fillRect(left, top, 0.8 * ratio, height);
    }
    flush();
  }

  tell(time, isHere) {
    let text = '', tip = '';
    if (time !== null) {
      const after = place(this.times, time);
      const at = this.times[after] === time ? after : after - 1;
      const end = at >= 0 ? this.times[at] + this.lengths[at] : -Infinity;
      if (at >= 0 && time <= Math.max(end, this.times[at] + this.near())) {
        const names = this.words(at).map((word) => this.spec.words[word].trim() || '(blank)').join(', ');
        text = names;
        tip = names && `${names}\n${moment(this.times[at], this.page.clock)} to ${moment(end, this.page.clock)}\n${duration(this.lengths[at])}`;
      }
    }
    this.readout.textContent = text;
    if (isHere) this.page.tip(tip);
  }

  rows(start, stop) {
    const rows = [];
    const last = place(this.times, stop);
    for (let at = Math.max(0, place(this.times, start) - 1); at < last; at++) {
      if (this.times[at] + this.lengths[at] < start) continue;
      for (const word of this.words(at)) rows.push([this.times[at], this.spec.about.name, '', '', '', this.spec.words[word], this.times[at] + this.lengths[at]]);
    }
    return rows;
  }
}

class MessagePanel extends TextPanel {
  constructor(spec, page) {
    super(spec, page);
    this.height = 110;
    this.place();
  }

  draw(context, plot) {
    this.hatch(context, plot, this.spec.about);
    if (this.times.length === 0) this.nothing(context, plot);
    const [start, stop] = this.page.view, x = this.x(plot), ratio = devicePixelRatio, { palette } = this;
    const { left, top, width, height } = plot.bbox, line = 16 * ratio, mark = 13 * ratio;
    const lanes = new Array(Math.max(0, Math.floor((height - mark - 4 * ratio) / line))).fill(-Infinity);
    context.font = `${11 * ratio}px "DejaVu Sans", Verdana, sans-serif`;
    context.textAlign = 'left';
    context.textBaseline = 'alphabetic';
    const last = place(this.times, stop);
    let drawn = -Infinity;
    for (let at = place(this.times, start); at < last; at++) {
      const across = x(this.times[at]);
      if (across - drawn >= 0.5) {
        context.strokeStyle = palette.series[0];
        context.lineWidth = 1.5 * ratio;
        context.beginPath();
        context.moveTo(across, top + height - mark);
        context.lineTo(across, top + height);
        context.stroke();
        drawn = across;
      }
      const lane = lanes.findIndex((free) => free <= across);
      if (lane < 0) continue;
      const text = this.spec.texts[at].length > 60 ? this.spec.texts[at].slice(0, 59) + '…' : this.spec.texts[at];
      const wide = context.measureText(text).width;
      if (across + wide + 8 * ratio > left + width) continue;
      lanes[lane] = across + wide + 14 * ratio;
      context.fillStyle = palette.text;
      context.fillText(text, across + 4 * ratio, top + height - mark - 5 * ratio - lane * line);
    }
  }

  tell(time, isHere) {
    let texts = [];
    if (time !== null) {
      const near = this.near() / 2;
      const first = place(this.times, time - near), last = place(this.times, time + near);
      for (let at = first; at < Math.min(last, first + 8); at++) texts.push(`${moment(this.times[at], this.page.clock)}  ${this.spec.texts[at]}`);
      if (last - first > 8) texts.push(`and ${last - first - 8} more`);
    }
    this.readout.textContent = texts.length > 0 ? `${texts.length} here` : '';
    if (isHere) this.page.tip(texts.join('\n'));
  }

  rows(start, stop) {
    const rows = [], last = place(this.times, stop);
    for (let at = place(this.times, start); at < last; at++) rows.push([this.times[at], this.spec.about.name, '', '', '', this.spec.texts[at], '']);
    return rows;
  }
}

// Panels with an axis of their own: what they show does not follow the view.
class SidePanel extends Panel {
  constructor(spec, page) {
    super(spec, page);
    this.isTimed = false;
  }

  tell() {}

  rows() {
    return [];
  }
}

class HistogramPanel extends SidePanel {
  constructor(spec, page) {
    super(spec, page);
    this.height = 240;
    this.readout = spec.bars.map((bars, at) => this.entry(bars.about.name, bars.about.description, `series ${at}`, true, at));
    this.place();
  }

  names() {
    return this.spec.bars.map((bars) => bars.about.name);
  }

  abouts() {
    return this.spec.bars.map((bars) => bars.about);
  }

  data() {
    const { low, step, bars } = this.spec;
    const room = bars[0].counts.length === 1 ? 3 * step : 0;
    return [[low - room, low + step * bars[0].counts.length + room], [null, null]];
  }

  isLog() {
    return this.spec.log !== this.page.isLogToggled;
  }

  scales() {
    const [[min, max]] = this.data();
    const most = Math.max(1, ...this.spec.bars.flatMap((bars) => bars.counts));
    const y = this.isLog() ? { min: 0.8, max: most * 1.3 } : { min: 0, max: most * 1.06 };
    return { x: { time: false, auto: false, min, max }, y: { auto: false, ...y, distr: this.isLog() ? 3 : 1 } };
  }

  axes(axis) {
    return [{ ...axis, scale: 'x', size: 46, label: this.spec.unit || 'value', labelSize: 18, labelFont: axis.font }, { ...axis, scale: 'y', size: (plot, labels) => this.labelled(plot, labels) }];
  }

  draw(context, plot) {
    const y = this.y(plot), { low, step, bars, limits } = this.spec, { palette } = this;
    const base = plot.bbox.top + plot.bbox.height;
    const x = (value) => plot.valToPos(value, 'x', true);
    bars.forEach(({ counts }, at) => {
      if (this.hidden.has(at)) return;
      const color = palette.series[at % 7];
      context.beginPath();
      context.moveTo(x(low), base);
      counts.forEach((count, place) => {
        const up = count === 0 ? base : y(count);
        context.lineTo(x(low + step * place), up);
        context.lineTo(x(low + step * (place + 1)), up);
      });
      context.lineTo(x(low + step * counts.length), base);
      context.fillStyle = color + (bars.length === 1 ? '8c' : '40');
      context.fill();
      context.strokeStyle = color;
      context.stroke();
    });
    const level = (value, color) => {
      if (value === null) return;
      context.strokeStyle = color;
      context.beginPath();
      context.moveTo(x(value), plot.bbox.top);
      context.lineTo(x(value), base);
      context.stroke();
    };
    for (const value of limits.yellow || []) level(value, palette.yellow);
    for (const value of limits.red || []) level(value, palette.red);
    level(limits.nominal, palette.text);
  }

  moved(plot) {
    const { low, step, bars } = this.spec;
    const at = plot.cursor.left >= 0 ? Math.floor((plot.posToVal(plot.cursor.left, 'x') - low) / step) : -1;
    const from = numberText(low + step * at), to = numberText(low + step * (at + 1));
    bars.forEach(({ counts }, bar) => {
      this.readout[bar].textContent = counts[at] === undefined ? '' : `${counts[at]} from ${from} to ${to}`;
    });
  }
}

class PhasePanel extends SidePanel {
  constructor(spec, page) {
    super(spec, page);
    this.height = 520;
    this.times = readTimes(spec.times);
    this.xs = readValues(spec.xs);
    this.ys = readValues(spec.ys);
    this.readout = this.entry(`${spec.y.name} over ${spec.x.name}`, this.times.length > 0 ? `dark ${moment(this.times[0], page.clock, 0)}, bright ${moment(this.times[this.times.length - 1], page.clock, 0)}` : 'no samples', '', false);
    this.place();
  }

  names() {
    return [this.spec.x.name, this.spec.y.name];
  }

  abouts() {
    return [this.spec.x, this.spec.y];
  }

  static bounds(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) return [0, 1];
    const room = high > low ? (high - low) * 0.06 : Math.abs(low) * 0.05 || 1;
    return [low - room, high + room];
  }

  data() {
    return [PhasePanel.bounds(this.xs), [null, null]];
  }

  scales() {
    const [min, max] = PhasePanel.bounds(this.xs), [low, high] = PhasePanel.bounds(this.ys);
    return { x: { time: false, auto: false, min, max }, y: { auto: false, min: low, max: high } };
  }

  axes(axis) {
    const name = (about) => about.name + (about.unit ? ` (${about.unit})` : '');
    const values = (plot, splits) => splits.map((split) => String(+split.toPrecision(9)));
    return [{ ...axis, scale: 'x', size: 46, label: name(this.spec.x), labelSize: 18, labelFont: axis.font, values },
      { ...axis, scale: 'y', size: (plot, labels) => this.labelled(plot, labels), label: name(this.spec.y), labelSize: 18, labelFont: axis.font, values }];
  }

  draw(context, plot) {
    const { times, xs, ys, page } = this, [first, last] = page.range, [start, stop] = page.view;
    const begins = new Set(this.spec.starts);
    for (let at = 0; at < times.length; at++) {
      if (times[at] < start || times[at] > stop) continue;
      const across = plot.valToPos(xs[at], 'x', true), up = plot.valToPos(ys[at], 'y', true);
      const color = colorOfTime((times[at] - first) / (last - first));
      if (at > 0 && !begins.has(at) && times[at - 1] >= start) {
        context.strokeStyle = color;
        context.beginPath();
        context.moveTo(plot.valToPos(xs[at - 1], 'x', true), plot.valToPos(ys[at - 1], 'y', true));
        context.lineTo(across, up);
        context.stroke();
      } else {
        context.fillStyle = color;
        context.fillRect(across - 1, up - 1, 2, 2);
      }
    }
    if (this.pointed !== undefined && this.pointed !== null) {
      context.strokeStyle = this.palette.text;
      context.beginPath();
      context.arc(plot.valToPos(xs[this.pointed], 'x', true), plot.valToPos(ys[this.pointed], 'y', true), 5 * devicePixelRatio, 0, 7);
      context.stroke();
    }
  }

  // The moment of the crosshair, as the panels over time have it.
  tell(time) {
    this.pointed = null;
    if (time !== null && this.times.length > 0) {
      const after = place(this.times, time);
      const at = after < this.times.length && (after === 0 || this.times[after] - time < time - this.times[after - 1]) ? after : after - 1;
      this.pointed = at;
    }
    this.readout.textContent = this.pointed === null ? '' : `${numberText(this.xs[this.pointed])}, ${numberText(this.ys[this.pointed])}`;
    if (this.plot) this.plot.redraw(false);
  }

  // The nearest point, and the others follow to its moment.
  moved(plot) {
    const { left, top } = plot.cursor;
    if (left < 0) return this.page.point(null, this);
    let best = null, nearest = 20 ** 2;
    for (let at = 0; at < this.times.length; at++) {
      const away = (plot.valToPos(this.xs[at], 'x') - left) ** 2 + (plot.valToPos(this.ys[at], 'y') - top) ** 2;
      if (away < nearest) [best, nearest] = [at, away];
    }
    return this.page.point(best === null ? null : this.times[best], this);
  }
}
