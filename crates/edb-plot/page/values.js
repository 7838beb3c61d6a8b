// Panels of numbers over time.

const limitWords = ({ nominal, yellow, red }) => {
  const pair = ([low, high]) => `${numberText(low)} … ${numberText(high)}`.trim();
  return [nominal !== null && `nominal ${numberText(nominal)}`, yellow && `yellow ${pair(yellow)}`, red && `red ${pair(red)}`].filter((words) => words);
};

// Round values of a logarithmic axis: powers of ten, and, where these are few, three times or twice and five times as much; within a decade
// equal steps.
const logTicks = (min, max) => {
  const values = [];
  if (max / min <= 10) {
    const rough = (max - min) / 5, decade = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((digit) => digit * decade).find((one) => one >= rough);
    for (let at = Math.ceil(min / step); at * step <= max; at++) values.push(at * step);
    return values;
  }
  const first = Math.floor(Math.log10(min)), last = Math.ceil(Math.log10(max));
  const every = Math.ceil((last - first) / 8), digits = last - first <= 2 ? [1, 2, 5] : last - first <= 4 ? [1, 3] : [1];
  for (let power = Math.ceil(first / every) * every; power <= last; power += every) {
    for (const digit of digits) values.push(digit * 10 ** power);
  }
  return values.filter((value) => value >= min && value <= max);
};

class ValuePanel extends Panel {
  constructor(spec, page) {
    super(spec, page);
    this.height = 210;
    this.wantsLog = spec.log;
    this.curves = spec.curves.map((curve) => ({ ...curve, track: new Track(curve.track), bins: curve.bins && new BinTrack(curve.bins),
      marks: curve.marks && { times: readTimes(curve.marks.times), values: readValues(curve.marks.values) } }));
    const listed = new Map();
    for (const curve of this.curves) {
      const { about } = curve;
      if (!listed.has(about.name)) {
        const name = about.name + (about.count === 0 ? ' (no samples)' : '');
        const own = this.hasCommonLimits() ? [] : limitWords(curve.limits);
        listed.set(about.name, this.entry(name, [about.description, ...own].filter((text) => text).join(', '), `series ${curve.color}`, Boolean(curve.bins), about.name, spec.unit));
      }
      curve.readout = listed.get(about.name);
    }
    const kinds = { nominal: ['quiet', false], yellow: ['yellow', true], red: ['red', true] };
    for (const words of limitWords({ ...spec.limits, nominal: spec.deviation ? null : spec.limits.nominal })) this.entry(words, '', ...kinds[words.split(' ')[0]]);
    this.place();
  }

  names() {
    return [...new Set(this.curves.map((curve) => curve.about.name))];
  }

  abouts() {
    return this.curves.map((curve) => curve.about);
  }

  hasSamples() {
    return this.curves.some((curve) => curve.track.times.length > 0);
  }

  // Whether all curves have the same limits.
  hasCommonLimits() {
    const { nominal, yellow, red } = this.spec.limits;
    return nominal !== null || Boolean(yellow || red);
  }

  shown() {
    return this.curves.filter((curve) => !this.hidden.has(curve.about.name));
  }

  isLog() {
    return this.wantsLog !== this.page.isLogToggled && this.canLog();
  }

  // A logarithmic axis has no place for what is not above zero.
  canLog() {
    const [min, max] = this.page.range;
    this.lowest ??= Math.min(...this.curves.map((curve) => Math.min(curve.track.extent(min, max)[0], curve.bins ? curve.bins.extent(min, max)[0] : Infinity)));
    return this.lowest > 0;
  }

  extent() {
    let low = Infinity, high = -Infinity;
    for (const curve of this.shown()) {
      const marks = curve.marks && { extent: (start, stop) => {
        const inside = curve.marks.values.slice(place(curve.marks.times, start), place(curve.marks.times, stop));
        return inside.reduce(([lower, higher], value) => [Math.min(lower, value), Math.max(higher, value)], [Infinity, -Infinity]);
      } };
      for (const part of [curve.track, curve.bins, marks]) {
        if (!part) continue;
        const [lower, higher] = part.extent(...this.page.view);
        low = Math.min(low, lower);
        high = Math.max(high, higher);
      }
    }
    this.isEmpty = low > high;
    if (this.isEmpty) return this.isLog() ? [0.1, 10] : [0, 1];
    const reach = high - low;
    for (const curve of this.shown()) {
      const { nominal, yellow, red } = curve.limits;
      for (const level of [nominal, ...(yellow || []), ...(red || [])]) {
        if (level === null || level < low - reach || level > high + reach || (this.isLog() && level <= 0)) continue;
        low = Math.min(low, level);
        high = Math.max(high, level);
      }
    }
    if (this.isLog()) {
      const room = low < high ? (high / low) ** 0.06 : 1.3;
      return [low / room, high * room];
    }
    const room = high > low ? (high - low) * 0.06 : Math.abs(low) * 0.05 || 1;
    return [low - room, high + room];
  }

  axes(axis) {
    const [time, value] = super.axes(axis);
    const text = (number) => (number === null ? '' : (Math.abs(number) >= 1e6 || (number !== 0 && Math.abs(number) < 1e-4) ? number.toExponential(3).replace(/\.?0+e/, 'e') : String(+number.toPrecision(9))));
    if (this.isLog()) {
      return [time, { ...value, splits: (plot, _, min, max) => logTicks(min, max), values: (plot, splits) => splits.map(text), filter: (plot, splits) => splits }];
    }
    const whole = this.spec.whole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e12, 1e15, 1e18] } : {};
    return [time, { ...value, ...whole, values: (plot, splits) => splits.map(text) }];
  }

  drawBack(context, plot) {
    if (this.isEmpty) return;
    const { limits } = this.spec;
    const { left, top, width, height } = plot.bbox;
    const y = this.y(plot);
    const tint = (from, to, color) => {
      const upper = Math.max(top, to === Infinity ? top : y(to)), lower = Math.min(top + height, from === -Infinity ? top + height : y(from));
      context.fillStyle = color + '21';
      if (lower > upper) context.fillRect(left, upper, width, lower - upper);
    };
    const side = (pair, at, open) => (pair && pair[at] !== null ? pair[at] : open);
    const { yellow, red } = limits, { palette } = this;
    if (yellow && yellow[0] !== null) tint(side(red, 0, -Infinity), yellow[0], palette.yellow);
    if (yellow && yellow[1] !== null) tint(yellow[1], side(red, 1, Infinity), palette.yellow);
    if (red && red[0] !== null) tint(-Infinity, red[0], palette.red);
    if (red && red[1] !== null) tint(red[1], Infinity, palette.red);
  }

  draw(context, plot) {
    const [start, stop] = this.page.view;
    const x = this.x(plot), y = this.y(plot), { palette } = this, ratio = devicePixelRatio;
    const shown = this.shown();
    // Only what is so for all of them; the notes have the rest.
    const asked = shown.filter((curve) => curve.about.asked.length > 0);
    const common = (of) => asked.map((curve) => of(curve.about)).reduce(intersection, [this.page.range]);
    if (asked.length > 0) this.hatch(context, plot, { unknown: common((about) => about.unknown), absent: common((about) => about.absent) });
    if (this.isEmpty) {
      this.nothing(context, plot);
      return;
    }
    context.lineWidth = 1.4 * ratio;
    for (const curve of shown) {
      const color = palette.series[curve.color % 7];
      context.strokeStyle = color;
      curve.track.stroke(context, start, stop, x, y, plot.bbox.width / ratio);
      this.dots(context, curve.track, x, y, color, start, stop);
      if (curve.bins) curve.bins.draw(context, start, stop, x, y, color);
    }
    this.levels(context, plot, y);
    for (const curve of shown) this.marks(context, curve, x, y, start, stop, plot.bbox.width / ratio);
    for (const curve of shown) {
      if (!curve.pointed) continue;
      context.fillStyle = palette.series[curve.color % 7];
      context.beginPath();
      context.arc(x(curve.pointed.time), y(curve.pointed.value), 3.6 * ratio, 0, 7);
      context.fill();
    }
  }

  // Samples that stand alone, and all of them where few are in view.
  dots(context, track, x, y, color, start, stop) {
    const ratio = devicePixelRatio;
    const first = place(track.times, start), last = place(track.times, stop);
    const isFew = last - first <= 120;
    context.fillStyle = color;
    const dot = (at) => {
      context.beginPath();
      context.arc(x(track.times[at]), y(track.values[at]), 2.2 * ratio, 0, 7);
      context.fill();
    };
    if (isFew) for (let at = first; at < last; at++) dot(at);
    else for (const [from, to, carried, until] of track.runs) if (to - from === 1 && !carried && until === null && track.times[from] >= start && track.times[from] <= stop) dot(from);
  }

  levels(context, plot, y) {
    const { left, width } = plot.bbox, { palette } = this;
    const line = (level, color, dash) => {
      if (level === null) return;
      context.setLineDash(dash);
      context.strokeStyle = color;
      context.lineWidth = devicePixelRatio;
      context.beginPath();
      context.moveTo(left, y(level));
      context.lineTo(left + width, y(level));
      context.stroke();
      context.setLineDash([]);
    };
    const ratio = devicePixelRatio, dash = [7 * ratio, 5 * ratio];
    const { nominal, yellow, red } = this.spec.limits;
    for (const level of yellow || []) line(level, palette.yellow, []);
    for (const level of red || []) line(level, palette.red, []);
    line(nominal, palette.text, dash);
    if (!this.hasCommonLimits()) {
      for (const curve of this.shown()) {
        const own = curve.limits;
        for (const level of [own.nominal, ...(own.yellow || []), ...(own.red || [])]) line(level, palette.series[curve.color % 7], dash);
      }
    }
  }

  // Samples beyond limits, a few for each pixel: dots beyond the yellow ones, crosses beyond the red ones.
  marks(context, curve, x, y, start, stop, width) {
    const { yellow, red } = curve.limits;
    if (!yellow && !red) return;
    const isOut = (pair, value) => pair && ((pair[0] !== null && value < pair[0]) || (pair[1] !== null && value > pair[1]));
    const { times, values } = curve.track, ratio = devicePixelRatio, size = 3 * ratio;
    const mark = (time, value) => {
      const isRed = isOut(red, value);
      if (!isRed && !isOut(yellow, value)) return;
      const across = x(time), up = y(value);
      if (isRed) {
        context.strokeStyle = this.palette.red;
        context.beginPath();
        context.moveTo(across - size, up - size);
        context.lineTo(across + size, up + size);
        context.moveTo(across - size, up + size);
        context.lineTo(across + size, up - size);
        context.stroke();
      } else {
        context.fillStyle = this.palette.yellow;
        context.beginPath();
        context.arc(across, up, size, 0, 7);
        context.fill();
      }
    };
    context.lineWidth = 1.5 * ratio;
    if (curve.marks) {
      const end = place(curve.marks.times, stop);
      for (let at = place(curve.marks.times, start); at < end; at++) mark(curve.marks.times[at], curve.marks.values[at]);
      return;
    }
    const last = place(times, stop), pixel = (stop - start) / width;
    for (let at = place(times, start); at < last;) {
      const next = Math.max(at + 1, place(times, start + (Math.floor((times[at] - start) / pixel) + 1) * pixel, at, last));
      const [low, high] = curve.track.extremes(at, next);
      mark(times[low], values[low]);
      if (high !== low) mark(times[high], values[high]);
      at = next;
    }
  }

  tell(time) {
    const near = this.near();
    for (const curve of this.curves) curve.pointed = null;
    const told = new Map();
    if (time !== null) {
      for (const curve of this.shown()) {
        const sample = curve.track.at(time, near), bin = curve.bins && curve.bins.at(time, near);
        const found = sample || bin;
        if (!found || (told.has(curve.readout) && told.get(curve.readout).distance <= found.distance)) continue;
        told.set(curve.readout, { ...found, bin: bin && !sample });
        if (!found.isCarried) curve.pointed = found;
      }
    }
    for (const { readout } of this.curves) {
      const found = told.get(readout);
      const around = found && found.bin ? ` (${numberText(found.low)} … ${numberText(found.high)})` : '';
      readout.textContent = found ? numberText(found.value) + around : '';
      readout.dataset.time = found ? String(found.time) : '';
      readout.title = found ? moment(found.time, this.page.clock, 6) : '';
    }
    if (this.plot) this.plot.redraw(false);
  }

  columns() {
    return this.shown().flatMap((curve) => [curve.track.column, curve.bins ? curve.bins.column : null]).filter((column) => column !== null);
  }

  rows(start, stop) {
    const rows = [];
    for (const { about, track, bins } of this.shown()) {
      const last = place(track.times, stop);
      for (let at = place(track.times, start); at < last; at++) rows.push([track.times[at], about.name, track.values[at], '', '', '', '']);
      for (const [line, { times, values }] of bins ? bins.lines.entries() : []) {
        const band = bins.bands[line], end = place(times, stop);
        for (let at = place(times, start); at < end; at++) {
          const own = Math.max(0, place(band.times, times[at] + 1) - 1);
          rows.push([times[at], about.name, values[at], band.lows[own], band.highs[own], '', '']);
        }
      }
    }
    return rows;
  }
}

// The times that two ascending lists of spans have in common.
const intersection = (one, other) => {
  const common = [];
  for (let a = 0, b = 0; a < one.length && b < other.length;) {
    const start = Math.max(one[a][0], other[b][0]), stop = Math.min(one[a][1], other[b][1]);
    if (start < stop) common.push([start, stop]);
    if (one[a][1] < other[b][1]) a++; else b++;
  }
  return common;
};
