// Moments are microseconds since 1970 UTC, in doubles, which hold them exactly for another two centuries.

const DAY = 86400e6;
const MJD_OF_1970 = 40587;
const two = (number) => String(number).padStart(2, '0');

// Days since 1970 and microseconds since midnight.
const split = (us) => {
  const day = Math.floor(us / DAY);
  return [day, us - day * DAY];
};

const dayOfYear = (date) => (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86400e3 + 1;

// Hours, minutes, and as many digits of seconds as are asked for.
const timeOfDay = (us, digits) => {
  const seconds = Math.floor(us / 1e6);
  const fraction = digits > 0 ? '.' + String(Math.floor(us - seconds * 1e6)).padStart(6, '0').slice(0, digits) : '';
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${fraction}`;
};

const date = (us) => {
  const day = new Date(split(us)[0] * 86400e3);
  return `${String(day.getUTCFullYear()).padStart(4, '0')}-${two(day.getUTCMonth() + 1)}-${two(day.getUTCDate())}`;
};
const dayNumber = (us) => {
  const day = new Date(split(us)[0] * 86400e3);
  return `${String(day.getUTCFullYear()).padStart(4, '0')}:${String(dayOfYear(day)).padStart(3, '0')}`;
};
const mjd = (us) => MJD_OF_1970 + us / DAY;

const moment = (us, clock, digits = 3) => {
  if (clock === 'mjd') return mjd(us).toFixed(8);
  const time = timeOfDay(split(us)[1], digits);
  return clock === 'doy' ? `${dayNumber(us)}:${time}` : `${date(us)} ${time}`;
};

const duration = (us) => {
  if (us < 1e6) return `${+(us / 1e3).toPrecision(4)} ms`;
  if (us < 120e6) return `${+(us / 1e6).toPrecision(4)} s`;
  if (us < 7200e6) return `${+(us / 60e6).toPrecision(4)} min`;
  if (us < 2 * DAY) return `${+(us / 3600e6).toPrecision(4)} h`;
  return `${+(us / DAY).toPrecision(4)} d`;
};

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const STEPS = [];
for (let decade = 1; decade < 1e6; decade *= 10) STEPS.push(decade, 2 * decade, 5 * decade);
for (const seconds of [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]) STEPS.push(seconds * 1e6);

// Round moments between `start` and `stop`, at most about `most`, each with its label; what changes seldom stands on a second line.
const ticks = (start, stop, most, clock) => {
  const rough = (stop - start) / Math.max(most, 1);
  const times = [];
  if (clock === 'mjd') {
    let step = 86400;
    for (let decade = 86400; decade < 1e17; decade *= 10) {
      step = [1, 2, 5].map((digit) => digit * decade).find((one) => one >= rough);
      if (step) break;
    }
    const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / DAY) - 1e-9)));
    const epoch = MJD_OF_1970 * DAY;
    for (let at = Math.ceil((start + epoch) / step); at * step - epoch <= stop; at++) times.push(at * step - epoch);
    return times.map((time) => [time, mjd(time).toFixed(digits)]);
  }
  const step = STEPS.find((one) => one >= rough);
  if (step) {
    for (let at = Math.ceil(start / step); at * step <= stop; at++) times.push(at * step);
    const digits = step < 1e6 ? 6 - Math.floor(Math.log10(step) + 1e-9) : 0;
    let last = '';
    return times.map((time) => {
      const full = timeOfDay(split(time)[1], digits);
      const day = clock === 'doy' ? dayNumber(time) : date(time);
      const context = day === last ? '' : '\n' + day;
      last = day;
      return [time, (step >= 60e6 ? full.slice(0, 5) : full) + context];
    });
  }
  let last = '';
  const label = (time, text, year) => {
    const context = year === last ? '' : '\n' + year;
    last = year;
    return [time, text + context];
  };
  const days = rough / DAY;
  const first = new Date(start / 1e3);
  const year0 = first.getUTCFullYear();
  const years = new Date(stop / 1e3).getUTCFullYear() - year0 + 1;
  const inside = (time) => time >= start && time <= stop;
  if (clock === 'doy' && days <= 100) {
    const every = [1, 2, 5, 10, 20, 50, 100].find((one) => one >= days);
    for (let year = year0; year < year0 + years; year++) {
      for (let day = 0; day < 366 - every / 2; day += every) times.push(Date.UTC(year, 0, 1 + day) * 1e3);
    }
    return times.filter(inside).map((time) => label(time, dayNumber(time).slice(5), dayNumber(time).slice(0, 4)));
  }
  if (days <= 14) {
    const every = days <= 1 ? 1 : days <= 2 ? 2 : days <= 7 ? 7 : 14;
    if (every <= 2) {
      for (let at = Math.ceil(start / DAY / every) * every; at * DAY <= stop; at += every) times.push(at * DAY);
    } else {
      for (let month = 0; month < 12 * years; month++) {
        for (let day = 1; day <= 22; day += every) times.push(Date.UTC(year0, month, day) * 1e3);
      }
    }
    return times.filter(inside).map((time) => {
      const day = new Date(time / 1e3);
      return label(time, `${MONTHS[day.getUTCMonth()]} ${day.getUTCDate()}`, String(day.getUTCFullYear()));
    });
  }
  const months = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000].find((one) => one * 30.5 >= days) || 12000;
  for (let month = Math.ceil((year0 * 12) / months) * months; month <= (year0 + years) * 12; month += months) {
    times.push(Date.UTC(0, month, 1) < 0 ? new Date(0).setUTCFullYear(Math.floor(month / 12), month % 12, 1) * 1e3 : Date.UTC(Math.floor(month / 12), month % 12, 1) * 1e3);
  }
  return times.filter(inside).map((time) => {
    const day = new Date(time / 1e3);
    return months >= 12 ? [time, String(day.getUTCFullYear())] : label(time, MONTHS[day.getUTCMonth()], String(day.getUTCFullYear()));
  });
};
