/** The style of a report's page: light and dark, wide, on a phone, on paper. Causes' colours differ for colour-blind people (Okabe, Ito). */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1d2329; --muted: #5c6670; --line: #e6e9ec; --axis: #aeb6bd; --panel: #f6f7f8;
  --quiet: #7a858f; --failed: #c04a00; --saved: #0072b2; --on-color: #ffffff;
  --cause-1: #0072b2; --cause-2: #d55e00; --cause-3: #009e73; --cause-4: #b5669a; --cause-5: #4d5a66; --cause-6: #a8780a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e4e8eb; --muted: #9ba6b0; --line: #2a3138; --axis: #56616b; --panel: #1c2227;
    --quiet: #8d98a2; --failed: #f0813a; --saved: #56b4e9; --on-color: #10151a;
    --cause-1: #56b4e9; --cause-2: #f0813a; --cause-3: #2fbf95; --cause-4: #dd94c2; --cause-5: #b4bec7; --cause-6: #e3b341;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 58rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
p { margin: .5rem 0; max-width: 44rem; }
.window { color: var(--muted); margin: 0; font-variant-numeric: tabular-nums; }
.lede { font-size: 1.125rem; margin: 1.25rem 0 1.5rem; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 0; padding: 1rem 1.25rem; background: var(--panel); border-radius: .5rem; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0 0; }
svg { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .25rem 0 0; padding: 0; font-size: .875rem; }
.key { display: inline-block; min-width: 1.25rem; padding: 0 .25rem; margin-right: .4rem; border-radius: .2rem; text-align: center; color: var(--on-color); font-weight: 600; font-size: .75rem; line-height: 1.25rem; }
.chronicle { list-style: none; margin: 0; padding: 0; }
.chronicle li { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: 0 1.25rem; padding: .3rem 0; border-top: 1px solid var(--line); }
.chronicle time { font-variant-numeric: tabular-nums; color: var(--muted); font-weight: 400; }
.chronicle .course { font-weight: 600; }
.chronicle .controller, .chronicle .gap { color: var(--muted); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); font-size: .875rem; padding-bottom: .25rem; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--muted); font-weight: 500; white-space: nowrap; }
th.number, td.number { text-align: right; white-space: nowrap; }
td.time { white-space: nowrap; }
td.name { min-width: 10rem; }
ul.plain { margin: .25rem 0; padding-left: 1.1rem; }
pre { margin: .5rem 0; padding: .75rem 1rem; background: var(--panel); border-radius: .4rem; font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
pre .ref { color: var(--muted); }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.more, footer { color: var(--muted); font-size: .875rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); }
footer ul { margin: 0; padding-left: 1.1rem; }
@media (max-width: 640px) {
  main { padding: 1.5rem 1rem 2rem; }
  .wide { display: none; } .narrow { display: block; }
  .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: .5rem; }
  .chronicle li { grid-template-columns: 1fr; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --text: #000; --muted: #444; --line: #ccc; --panel: #f4f4f4; --quiet: #777; --failed: #c04a00; --saved: #0072b2; --on-color: #fff; --axis: #888;
    --cause-1: #0072b2; --cause-2: #d55e00; --cause-3: #009e73; --cause-4: #b5669a; --cause-5: #4d5a66; --cause-6: #a8780a; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  .wide { display: block; } .narrow { display: none; }
  figure, tr, li, pre { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
`
