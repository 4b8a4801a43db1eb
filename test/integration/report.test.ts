/** The page of a timeline in a real browser: it shows, fits, asks for nothing, and log text stays text. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { timelinePage } from '../../src/timeline/html.ts'
import { readTimeline } from '../../src/timeline/readTimeline.ts'
import { storeOf } from '../support/memoryReader.ts'
import { Folder } from '../support/program.ts'

const CHROMIUM = '/usr/bin/chromium'
const SAMPLES = join(import.meta.dirname, '../../samples')
const HOSTILE = ['access.log', 'error.log', 'json.log', 'controller.log'].map(file => join(SAMPLES, 'hostile', file))
const PAGES: [string, string[]][] = [
  ['oom-during-load', [join(SAMPLES, 'incidents/oom-during-load/controller.log')]],
  ['wrong-target-port', [join(SAMPLES, 'incidents/wrong-target-port/controller.log')]],
  ['hostile', HOSTILE]
]
const ALL = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, services: [], causes: [] }

const isThere = existsSync(CHROMIUM)
if (!isThere) {
  const text = `${CHROMIUM} is not there: the page was looked at by no browser (apt-get install chromium)`
  if (process.env.CI === 'true') throw new Error(text)
  console.warn(`SKIPPED: ${text}`)
}

describe.skipIf(!isThere)('in a browser', () => {
  const folder = new Folder()
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking']
    })
  })
  afterAll(async () => {
    await browser?.close()
    folder.remove()
  })

  const files = new Map<string, string>()
  const open = async (name: string, logs: string[], width: number, colorScheme: 'light' | 'dark') => {
    let file = files.get(name)
    if (file === undefined) {
      const timeline = await readTimeline(storeOf(logs), ALL)
      files.set(name, (file = folder.write(`${name}.html`, timelinePage(timeline, 'UTC'))))
    }
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const heard: string[] = []
    page.on('console', message => heard.push(message.text()))
    page.on('pageerror', error => heard.push(error.message))
    page.on('dialog', dialog => heard.push(dialog.message()))
    page.on('request', request => {
      if (request.url() !== pathToFileURL(file).href) heard.push(request.url())
    })
    await page.goto(pathToFileURL(file).href)
    return { page, heard }
  }

  const contrast = (page: Page): Promise<number> =>
    page.evaluate(`(() => {
      const luminance = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const style = getComputedStyle(document.body)
      const [a, b] = [luminance(style.color), luminance(style.backgroundColor)]
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    })()`)

  for (const [name, logs] of PAGES) {
    test.each<[number, 'light' | 'dark']>([
      [1280, 'light'],
      [1280, 'dark'],
      [390, 'light']
    ])(`${name}, %i px, %s`, async (width, scheme) => {
      const { page, heard } = await open(name, logs, width, scheme)
      expect(heard).toEqual([])
      // Nothing sticks out to the right.
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      const boxes = (await page.evaluate(
        `[...document.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect()).filter(box => box.width > 0).map(({ left, right, height }) => ({ left, right, height }))`
      )) as { left: number; right: number; height: number }[]
      expect(boxes).toHaveLength(3)
      for (const box of boxes) {
        expect(box.height).toBeGreaterThan(50)
        expect(box.left).toBeGreaterThanOrEqual(0)
        expect(box.right).toBeLessThanOrEqual(width)
      }
      // Words in pictures stay within them, and can be read.
      const texts = (await page.evaluate(
        `[...document.querySelectorAll('svg text')].map(text => [text.textContent, text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect(), getComputedStyle(text).fill]).filter(([, box]) => box.width > 0).map(([text, box, svg, fill]) => ({ text, out: Math.max(svg.left - box.left, box.right - svg.right), height: box.height, fill }))`
      )) as { text: string; out: number; height: number; fill: string }[]
      expect(texts.length).toBeGreaterThan(10)
      expect(texts.filter(text => text.out > 1 || text.height < 9)).toEqual([])
      expect(await contrast(page)).toBeGreaterThan(7)
      await page.close()
    })
  }

  test('log text does not become markup', async () => {
    const { page, heard } = await open('hostile', HOSTILE, 1280, 'light')
    expect(await page.evaluate(`document.querySelectorAll('script, img, a, iframe, link, form, object').length`)).toBe(
      0
    )
    expect(await page.evaluate(`document.body.innerText.includes('<script>')`)).toBe(true)
    expect(heard).toEqual([])
    await page.close()
  })

  test('on paper it is light and whole', async () => {
    const { page } = await open('oom-during-load', PAGES[0]![1], 1280, 'dark')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000)
    await page.close()
  })
})
