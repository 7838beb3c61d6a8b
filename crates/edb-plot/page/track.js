// Columns of numbers, as the page carries them.

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const doubles = (text) => new Float64Array(bytes(text).buffer);

const readTimes = (column) => {
  if (column.as === 'offsets') return doubles(column.data).map((offset) => column.first + offset);
  const steps = new Uint32Array(bytes(column.data).buffer);
  const times = new Float64Array(column.count);
  for (let at = 0, time = column.first; at < column.count; at++) {
    times[at] = time;
    time += steps[at];
  }
  return times;
};

const readValues = (column) => {
  const data = bytes(column.data);
  if (column.as === 'doubles') return new Float64Array(data.buffer);
  if (column.as === 'singles') return Float64Array.from(new Float32Array(data.buffer));
  const words = doubles(column.words);
  return Float64Array.from(column.as === 'codes8' ? data : new Uint16Array(data.buffer), (code) => words[code]);
};

// The first place from `from` to `to` whose time is `time` or later.
const place = (times, time, from = 0, to = times.length) => {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (times[middle] < time) from = middle + 1; else to = middle;
  }
  return from;
};

// Levels of a pyramid: of each group of samples the places of the lowest and the highest, sixteen groups of one level in one of the next.
const GROUP = 16;
const pyramid = (values) => {
  const levels = [];
  let count = values.length;
  for (let size = GROUP; count > 4 * GROUP; size *= GROUP) {
    const below = levels[levels.length - 1];
    count = Math.ceil(values.length / size);
    const lows = new Uint32Array(count), highs = new Uint32Array(count);
    for (let group = 0; group < count; group++) {
      let low = group * size, high = low;
      const stop = Math.min(below ? below.lows.length : values.length, (group + 1) * GROUP);
      for (let at = group * GROUP; at < stop; at++) {
        const lower = below ? below.lows[at] : at, higher = below ? below.highs[at] : at;
        if (values[lower] < values[low]) low = lower;
        if (values[higher] > values[high]) high = higher;
      }
      lows[group] = low;
      highs[group] = high;
    }
    levels.push({ size, lows, highs });
  }
  return levels;
};

class Track {
  constructor(track) {
    this.times = readTimes(track.times);
    this.values = readValues(track.values);
    this.course = track.course;
    this.runs = track.runs;
    this.column = track.column;
    this.levels = pyramid(this.values);
  }

  // The places of the lowest and the highest of the samples from `from` to `to`, of which there is one at least.
  extremes(from, to) {
    const values = this.values;
    let low = from, high = from, at = from;
    const look = (lower, higher) => {
      if (values[lower] < values[low]) low = lower;
      if (values[higher] > values[high]) high = higher;
    };
    while (at < to) {
      let level = -1;
      while (level + 1 < this.levels.length && at % this.levels[level + 1].size === 0 && at + this.levels[level + 1].size <= to) level++;
      if (level < 0) {
        look(at, at);
        at++;
      } else {
        const { size, lows, highs } = this.levels[level];
        look(lows[at / size], highs[at / size]);
        at += size;
      }
    }
    return [low, high];
  }

  // The lowest and the highest value between two moments, what is held into them included.
  extent(start, stop) {
    let low = Infinity, high = -Infinity;
    const add = (value) => {
      if (value < low) low = value;
      if (value > high) high = value;
    };
    for (const [from, to, carried, until] of this.runs) {
      if (!this.meets([from, to, carried, until], start, stop)) continue;
      // What is carried stands until the first sample.
      const stands = to > from ? this.times[from] : until;
      if (carried && carried[0] <= stop && stands > start) add(carried[1]);
      const first = Math.max(from, place(this.times, start, from, to) - (this.course === 'straight' ? 0 : 1));
      const last = place(this.times, stop, first, to);
      if (last > first) {
        const [lower, higher] = this.extremes(first, last);
        add(this.values[lower]);
        add(this.values[higher]);
      }
      // Where a line crosses the view and no sample lies in it.
      if (this.course === 'straight' && first === last && first > from && first < to) {
        add(this.values[first - 1]);
        add(this.values[first]);
      }
    }
    return [low, high];
  }

  meets([from, to, carried, until], start, stop) {
    const first = carried ? carried[0] : this.times[from];
    const last = until !== null ? until : to > from ? this.times[to - 1] : first;
    return last >= start && first <= stop;
  }

  // Strokes what lies between two moments: of each pixel the first, the lowest, the highest and the last sample.
  stroke(context, start, stop, x, y, width) {
    const { times, values } = this;
    const isStep = this.course !== 'straight';
    context.beginPath();
    for (const run of this.runs) {
      if (!this.meets(run, start, stop)) continue;
      const [from, to, carried, until] = run;
      let isDown = false, level = 0;
      const point = (time, value) => {
        const across = x(time), up = y(value);
        if (!isDown) context.moveTo(across, up);
        else {
          if (isStep) context.lineTo(across, level);
          context.lineTo(across, up);
        }
        isDown = true;
        level = up;
      };
      if (carried) point(carried[0], carried[1]);
      const first = Math.max(from, place(times, start, from, to) - 1);
      const last = Math.min(to, place(times, stop, from, to) + 1);
      if (last - first <= 4 * width) {
        for (let at = first; at < last; at++) point(times[at], values[at]);
      } else {
        const pixel = (stop - start) / width;
        for (let at = first; at < last;) {
          const border = start + (Math.floor((times[at] - start) / pixel) + 1) * pixel;
          const next = Math.max(at + 1, place(times, border, at, last));
          const [low, high] = this.extremes(at, next);
          let before = -1;
          for (const one of [at, Math.min(low, high), Math.max(low, high), next - 1]) {
            if (one !== before) point(times[one], values[one]);
            before = one;
          }
          at = next;
        }
      }
      if (until !== null && isDown) context.lineTo(x(until), level);
    }
    context.stroke();
  }

  // The sample that a crosshair at `time` is about: the nearest, or the one whose value stands there. `near`: how far off a sample may lie.
  at(time, near) {
    let best = null;
    for (const run of this.runs) {
      if (!this.meets(run, time - near, time + near)) continue;
      const [from, to, carried, until] = run;
      const after = place(this.times, time, from, to);
      const candidates = [];
      if (this.course === 'straight') candidates.push(after - 1, after);
      else {
        candidates.push(after < to && this.times[after] === time ? after : after - 1);
        if (after - 1 < from && carried && carried[0] <= time && (to > from || time < until)) return { time: carried[0], value: carried[1], distance: 0, isCarried: true };
        if (after - 1 < from) candidates.push(after);
      }
      for (const place of candidates) {
        if (place < from || place >= to) continue;
        const distance = Math.abs(this.times[place] - time);
        const isInside = time >= this.times[from] && time <= (until !== null ? until : this.times[to - 1]);
        if ((isInside || distance <= near) && (!best || distance < best.distance)) {
          best = { time: this.times[place], value: this.values[place], distance, isCarried: false };
        }
      }
    }
    return best;
  }
}

class BinTrack {
  constructor(bins) {
    this.column = bins.column;
    this.lines = bins.lines.map((line) => ({ times: readTimes(line.times), values: readValues(line.values) }));
    this.bands = bins.bands.map((band) => ({ times: readTimes(band.times), lows: readValues(band.lows), highs: readValues(band.highs) }));
  }

  extent(start, stop) {
    let low = Infinity, high = -Infinity;
    for (const { times, lows, highs } of this.bands) {
      const last = Math.min(times.length, place(times, stop) + 1);
      for (let at = Math.max(0, place(times, start) - 1); at < last; at++) {
        low = Math.min(low, lows[at]);
        high = Math.max(high, highs[at]);
      }
    }
    return [low, high];
  }

  draw(context, start, stop, x, y, color) {
    context.fillStyle = color + '40';
    context.strokeStyle = color;
    for (const { times, lows, highs } of this.bands) {
      const first = Math.max(0, place(times, start) - 1), last = Math.min(times.length, place(times, stop) + 1);
      if (first >= last) continue;
      context.beginPath();
      for (let at = first; at < last; at++) context.lineTo(x(times[at]), y(highs[at]));
      for (let at = last - 1; at >= first; at--) context.lineTo(x(times[at]), y(lows[at]));
      if (last - first === 1) context.stroke(); else context.fill();
    }
    for (const { times, values } of this.lines) {
      const first = Math.max(0, place(times, start) - 1), last = Math.min(times.length, place(times, stop) + 1);
      context.beginPath();
      for (let at = first; at < last; at++) context.lineTo(x(times[at]), y(values[at]));
      context.stroke();
      if (last - first === 1) {
        context.fillStyle = color;
        context.fillRect(x(times[first]) - 2, y(values[first]) - 2, 4, 4);
        context.fillStyle = color + '40';
      }
    }
  }

  at(time, near) {
    let best = null;
    this.lines.forEach(({ times, values }, line) => {
      const after = place(times, time);
      for (const at of [after - 1, after]) {
        if (at < 0 || at >= times.length) continue;
        const distance = Math.abs(times[at] - time);
        const isInside = time >= times[0] && time <= times[times.length - 1];
        if ((isInside || distance <= near) && (!best || distance < best.distance)) {
          const band = this.bands[line];
          const own = Math.max(0, place(band.times, times[at] + 1) - 1);
          best = { time: times[at], value: values[at], low: band.lows[own], high: band.highs[own], distance };
        }
      }
    });
    return best;
  }
}
