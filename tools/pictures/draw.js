// Draws a dashboard: DASHBOARD is its JSON, ANSWERS has the lines of each panel by the letters of its queries, and MOMENTS the
// seconds of their values. What Grafana does with the JSON is done here as far as our dashboards need it, and no further.
'use strict'

const COLUMN = 50, ROW = 34
const PALETTE = ['#1f60c4', '#e0752d', '#299c46', '#c4162a', '#8f3bb8', '#0a8c8c', '#ba43a9', '#b8860b', '#6b6f76', '#5794f2']
const COLORS = { green: '#299c46', blue: '#1f60c4', yellow: '#d39e00', orange: '#e0752d', red: '#d6293a' }

function make(tag, of = {}, ...children) {
  const made = document.createElement(tag)
  Object.assign(made, of)
  made.append(...children.filter(child => child !== null))
  return made
}

// Units as Grafana writes them.
function scaled(value, base, names, from = 0) {
  let at = from
  while (Math.abs(value) >= base && at + 1 < names.length) { value /= base; at += 1 }
  return [value, names[at]]
}

function digits(value, decimals) {
  if (decimals !== undefined) return value.toFixed(decimals)
  if (Number.isInteger(value)) return String(value)
  return Math.abs(value) < 1e-6 ? '0' : String(Number(value.toPrecision(3)))
}

function time(seconds) {
  const size = Math.abs(seconds)
  const units = [[86400 * 365, 'years'], [86400 * 7, 'weeks'], [86400, 'days'], [3600, 'hours'], [60, 'mins'], [1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns']]
  const [length, name] = units.find(([length]) => size >= length) ?? [1, 's']
  const number = digits(seconds / length)
  return `${number} ${number === '1' ? name.replace(/(...)s$/, '$1') : name}`
}

function shown(value, unit, decimals) {
  const join = ([number, name]) => [digits(number, decimals), name].filter(part => part).join(' ')
  const thousands = ['', 'K', 'Mil', 'Bil', 'Tri']
  switch (unit) {
    case 'percentunit': return `${digits(value * 100)}%`
    case 'percent': return `${digits(value)}%`
    case 's': return time(value)
    case 'bytes': return join(scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']))
    case 'Bps': return join(scaled(value, 1000, ['B/s', 'kB/s', 'MB/s', 'GB/s']))
    case 'binBps': return join(scaled(value, 1024, ['B/s', 'KiB/s', 'MiB/s', 'GiB/s']))
    case 'none': case undefined: return digits(value, decimals)
    case 'short': return join(scaled(value, 1000, thousands))
  }
  const rates = { reqps: 'req/s', cps: 'c/s', ops: 'ops/s', iops: 'io/s', pps: 'p/s', rps: 'rd/s', wps: 'wr/s' }
  if (!rates[unit]) throw Error(`no picture of the unit ${unit}`)
  return join(scaled(value, 1000, [rates[unit], `K${rates[unit]}`, `M${rates[unit]}`, `G${rates[unit]}`]))
}

// What a number stands for, or the number in its unit.
function said(value, config) {
  return config.mappings?.[0]?.options[String(value)]?.text ?? shown(value, config.unit, config.decimals)
}

function color(value, config) {
  const steps = config.thresholds?.steps ?? []
  const step = steps.filter(step => step.value === null || value >= step.value).at(-1)
  return COLORS[step?.color] ?? '#24292e'
}

function named(legend, labels) {
  if (legend) return legend.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '')
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`)
  return `{${pairs.join(', ')}}`
}

const lastOf = values => values.findLast(value => value !== null)

// All lines of a panel, with their names and colours.
function lines(panel) {
  const of = target => (ANSWERS[panel.id]?.[target.refId] ?? [])
    .map(line => ({ ...line, letter: target.refId, name: named(target.legendFormat, line.labels) }))
  return panel.targets.flatMap(of).map((line, at) => ({ ...line, tone: ownTone(panel, line.name) ?? PALETTE[at % PALETTE.length] }))
}

function ownTone(panel, name) {
  const own = panel.fieldConfig.overrides.filter(it => it.matcher.id === 'byRegexp' && RegExp(it.matcher.options.slice(1, -1)).test(name))
  return COLORS[own.flatMap(it => it.properties).find(it => it.id === 'color')?.value.fixedColor]
}

// Those that are there at the last moment.
const now = panel => lines(panel).filter(line => line.values.at(-1) !== null).map(line => ({ ...line, value: line.values.at(-1) }))

const empty = config => make('div', { className: 'note', textContent: config.noValue ?? 'No data' })

// The layer below is drawn over it and must not shine through.
function pale(tone) {
  const parts = [1, 3, 5].map(at => Math.round(0.6 * parseInt(tone.slice(at, at + 2), 16) + 0.4 * 255))
  return `rgb(${parts})`
}

function plot(all, config, custom, width, height, axes) {
  // The lowest layer is drawn last, over those that stand on it.
  const stacked = custom?.stacking?.mode === 'normal'
  const sums = []
  const drawn = all.map(line => {
    const values = line.values.map((value, moment) => {
      if (!stacked || value === null) return value
      sums[moment] = (sums[moment] ?? 0) + value
      return sums[moment]
    })
    const fill = !axes ? line.tone + '14' : stacked ? pale(line.tone) : undefined
    return { values, series: { stroke: line.tone, width: 1.5, fill, points: { show: false } } }
  })
  const ordered = stacked ? drawn.toReversed() : drawn
  const bounds = custom?.thresholdsStyle?.mode === 'line' ? config.thresholds.steps.filter(step => step.value !== null) : []
  const range = (_, low, high) => {
    let [bottom, top] = [Math.min(low ?? 0, 0), high ?? 1]
    top = top > bottom ? top + (top - bottom) * 0.05 : bottom + 1
    return [config.min ?? bottom, config.max ?? top]
  }
  const options = {
    width, height, legend: { show: false }, cursor: { show: false }, padding: axes ? [6, 8, 0, 0] : [0, 0, 0, 0],
    scales: { x: { time: false }, y: { range } },
    axes: [
      { show: axes, size: 18, gap: 2, font: '10px DejaVu Sans', grid: { stroke: '#e4e7ea', width: 1 }, ticks: { show: false },
        incrs: [1800], values: (_, all) => all.map(second => `${Math.floor(second / 3600)}:${String(second / 60 % 60).padStart(2, '0')}`) },
      { show: axes, size: 66, gap: 3, font: '10px DejaVu Sans', grid: { stroke: '#e4e7ea', width: 1 }, ticks: { show: false }, space: 26,
        incrs: steps(config),
        values: (_, all) => all.map(value => said(value, config)) },
    ],
    series: [{}, ...ordered.map(one => one.series)],
    hooks: { draw: [chart => bounds.forEach(step => threshold(chart, step))] },
  }
  return [options, [MOMENTS, ...ordered.map(one => one.values)]]
}

// Between two lines of the grid.
function steps(config) {
  if (config.unit === 'bytes') return Array.from({ length: 44 }, (_, power) => 2 ** power)
  if (config.unit === 's') return TIMES
  if (config.decimals === 0) return Array.from({ length: 12 }, (_, power) => 10 ** power).flatMap(unit => [unit, 2 * unit, 5 * unit])
}

const TIMES = [...[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1].flatMap(unit => [unit, 2 * unit, 5 * unit]), 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200, 4838400]

function threshold(chart, step) {
  const y = chart.valToPos(step.value, 'y', true), { ctx, bbox } = chart
  if (y < bbox.top || y > bbox.top + bbox.height) return
  ctx.save()
  ctx.strokeStyle = COLORS[step.color]
  ctx.setLineDash([6, 4])
  ctx.beginPath()
  ctx.moveTo(bbox.left, y)
  ctx.lineTo(bbox.left + bbox.width, y)
  ctx.stroke()
  ctx.restore()
}

function timeseries(body, panel, config) {
  const all = lines(panel)
  if (!all.length) return body.append(empty(config))
  const cell = value => make('td', { className: 'number', textContent: value === undefined ? '' : said(value, config) })
  const head = make('tr', {}, make('th', { textContent: 'Name' }), ...['Last', 'Max'].map(textContent => make('th', { className: 'number', textContent })))
  const { sortBy, sortDesc } = panel.options.legend
  const last = line => lastOf(line.values) ?? -Infinity
  const sorted = sortBy ? all.toSorted((one, other) => (last(one) - last(other)) * (sortDesc ? -1 : 1)) : all
  const entries = sorted.map(line => {
    const mark = make('span', { className: 'mark' })
    mark.style.background = line.tone
    const values = line.values.filter(value => value !== null)
    return make('tr', {}, make('td', {}, mark, line.name), cell(lastOf(line.values)), cell(values.length ? Math.max(...values) : undefined))
  })
  // Grafana gives a legend a third of the panel, and one scrolls through the rest.
  const room = Math.max(2, Math.floor(body.clientHeight * 0.37 / 13) - 1)
  const height = body.clientHeight - (Math.min(room, all.length) + 1) * 13
  const place = make('div')
  body.append(place, make('table', { className: 'legend' }, head, ...entries.slice(0, room)))
  const rest = all.length - room
  if (rest > 0) head.firstChild.textContent = `Name (${rest} more below)`
  new uPlot(...plot(all, config, config.custom, body.clientWidth, height, true), place)
}

function stat(body, panel, config) {
  const all = lines(panel).filter(line => lastOf(line.values) !== undefined)
  if (!all.length) return body.append(empty(config))
  const filled = panel.options.colorMode === 'background'
  const stats = all.map(line => {
    const value = lastOf(line.values)
    const one = make('div', {}, make('span', { textContent: said(value, config) }), all.length > 1 ? make('small', { textContent: line.name }) : null)
    const tone = config.color.mode === 'thresholds' ? color(value, config) : PALETTE[0]
    one.style.cssText = filled ? `background: ${tone}; color: #fff` : `color: ${tone}`
    return one
  })
  body.append(make('div', { className: 'stats' }, ...stats))
  if (filled || all.length > 1 || body.clientHeight < 60) return
  const place = make('div')
  place.style.cssText = 'height: 22px'
  stats[0].append(place)
  new uPlot(...plot(all, config, undefined, body.clientWidth - 8, 22, false), place)
}

function bars(body, panel, config) {
  const all = panel.type === 'gauge' ? lines(panel).map(line => ({ ...line, value: lastOf(line.values) })) : now(panel)
  if (!all.length) return body.append(empty(config))
  // So does Prometheus, and promtool's records forget it.
  if (panel.type === 'bargauge') all.sort((one, other) => (one.value - other.value) * (panel.targets[0].expr.startsWith('bottomk') ? 1 : -1))
  const most = config.max ?? (Math.max(...all.map(line => line.value)) || 1)
  body.append(...all.map(line => {
    const inner = make('div'), tone = color(line.value, config)
    inner.style.cssText = `width: ${Math.min(100, 100 * line.value / most)}%; background: ${tone}`
    const bar = make('div', { className: `bar ${panel.type}` }, make('span', { textContent: all.length > 1 || config.displayName ? line.name : '' }), make('div', {}, inner), make('b', { textContent: said(line.value, config) }))
    return bar
  }))
}

// Lines are a row if they agree in the labels that all queries answer with: so does `merge`.
function table(body, panel, config) {
  const steps = Object.fromEntries(panel.transformations.map(step => [step.id, step.options]))
  const columns = steps.filterFieldsByName.include.names
  const all = now(panel)
  const answered = panel.targets.map(target => all.filter(line => line.letter === target.refId)).filter(lines => lines.length)
  const labels = answered.map(lines => new Set(lines.flatMap(line => Object.keys(line.labels))))
  const common = [...labels[0] ?? []].filter(label => labels.every(own => own.has(label)))
  const rows = new Map()
  for (const line of all) {
    const key = JSON.stringify(common.map(label => line.labels[label]))
    const row = Object.assign(rows.get(key) ?? {}, line.labels)
    row[panel.targets.length > 1 ? `Value #${line.letter}` : 'Value'] = line.value
    rows.set(key, row)
  }
  if (!rows.size) return body.append(empty(config))
  const titles = steps.organize.renameByName
  const own = Object.fromEntries(panel.fieldConfig.overrides.filter(it => it.matcher.id === 'byName')
    .map(it => [it.matcher.options, Object.fromEntries(it.properties.map(property => [property.id, property.value]))]))
  const configs = columns.map(column => {
    const more = own[titles[column]] ?? {}
    const mode = more['custom.cellOptions']?.type
    return { ...config, ...more, colored: mode === 'color-background' || mode === 'color-text' }
  })
  const order = (one, other) => typeof one === 'number' ? one - other : String(one ?? '').localeCompare(String(other ?? ''))
  const sorts = panel.options.sortBy.map(sort => [columns.find(column => titles[column] === sort.displayName), sort.desc ? -1 : 1])
  const differ = (one, other) => sorts.map(([by, way]) => order(one[by], other[by]) * way).find(order => order) ?? 0
  const sorted = [...rows.values()].sort(differ)
  const numeric = column => column.startsWith('Value')
  const cell = (row, at) => {
    const value = row[columns[at]], isNumber = typeof value === 'number'
    const made = make('td', { className: numeric(columns[at]) ? 'number' : '', textContent: isNumber ? said(value, configs[at]) : value ?? '' })
    const tone = COLORS[configs[at].mappings?.[0]?.options[value]?.color]
    if (tone && configs[at].colored) made.style.cssText = `color: ${tone}; font-weight: bold`
    if (isNumber && configs[at].colored) made.style.cssText = `color: ${color(value, configs[at])}; font-weight: bold`
    return made
  }
  const head = columns.map(column => make('th', { className: numeric(column) ? 'number' : '', textContent: titles[column] }))
  body.append(make('table', {}, make('tr', {}, ...head), ...sorted.map(row => make('tr', {}, ...columns.map((_, at) => cell(row, at))))))
}

// The newest lines first, each with the colour of its level and the minute in which it was written.
const LEVELS = { critical: COLORS.red, fatal: COLORS.red, error: COLORS.red, warn: COLORS.yellow, info: COLORS.green, debug: COLORS.blue }

function logs(body, panel, config) {
  const all = panel.targets.flatMap(target => ANSWERS[panel.id]?.[target.refId] ?? [])
  if (!all.length) return body.append(empty(config))
  const two = number => String(Math.floor(number)).padStart(2, '0')
  body.append(...all.map(({ second, level, text }) => {
    const line = make('div', { className: 'log' }, make('span', { textContent: `${Math.floor(second / 3600)}:${two(second / 60 % 60)}:${two(second % 60)}` }), text)
    line.style.borderColor = LEVELS[level] ?? '#c0c4c9'
    return line
  }))
}

function text(body, panel) {
  body.append(make('pre', { textContent: panel.options.content }))
}

const KINDS = { timeseries, stat, gauge: bars, bargauge: bars, table, text, logs }

function draw(panel, grid, folded) {
  const { x, y, w, h } = panel.gridPos
  const cell = make('div', { className: 'cell' })
  cell.style.cssText = `left: ${x * COLUMN}px; top: ${y * ROW}px; width: ${w * COLUMN}px; height: ${h * ROW}px`
  grid.append(cell)
  if (panel.type === 'row') {
    cell.className += ' row'
    cell.textContent = `${panel.collapsed ? '▸' : '▾'} ${panel.title}${panel.collapsed ? ' (folded until it is opened)' : ''}`
    return panel.panels.forEach(panel => draw(panel, grid, true))
  }
  const body = make('div', { className: 'body' })
  cell.append(make('div', { className: 'panel' }, make('div', { className: 'title', textContent: panel.title }), make('div', { className: 'explain', textContent: panel.description }), body))
  const config = panel.fieldConfig?.defaults ?? {}
  if (!KINDS[panel.type]) throw Error(`no picture of the panel ${panel.type}`)
  KINDS[panel.type](body, panel, config)
}

document.title = DASHBOARD.title
// What panels mean stands below the picture in docs/dashboards.md.
if (location.hash === '#picture') document.body.className = 'picture'
const grid = make('div', { id: 'grid' })
document.body.append(make('div', { id: 'head' },
  make('h1', { textContent: DASHBOARD.title }),
  make('p', { className: 'preview', textContent: 'Preview, drawn by Vigil from a synthetic cluster; not Grafana' }),
  make('p', { textContent: DASHBOARD.description }),
  make('p', { textContent: DASHBOARD.templating.list.map(it => `${it.label ?? it.name}: ${it.current?.text || '…'}`).join(' · ') })), grid)
try {
  DASHBOARD.panels.forEach(panel => draw(panel, grid, false))
} catch (error) {
  document.body.prepend(make('h1', { textContent: `${error.message} ${error.stack}` }))
}
