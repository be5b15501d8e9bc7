const PATHS = {
  overview: "M2.5 8.5 5 8.5 6.5 4l3 8 1.5-3.5h2.5",
  flows: "M2.5 4h3c3 0 2 8 5 8h3M2.5 12h3c1 0 1.5-1 2-2.2M13.5 4h-3c-1 0-1.5 1-2 2.2",
  runs: "M4.5 3v10l8-5z",
  sources:
    "M3 4c0-1 2.2-1.8 5-1.8S13 3 13 4s-2.2 1.8-5 1.8S3 5 3 4zm0 0v8c0 1 2.2 1.8 5 1.8s5-.8 5-1.8V4M3 8c0 1 2.2 1.8 5 1.8S13 9 13 8",
  schedules: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  triggers: "M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z",
  webhooks: "M3 8h7M7.5 4.8 10.7 8l-3.2 3.2M13 3v10",
  users:
    "M6 7.5a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M10.5 2.6a2.6 2.6 0 0 1 0 4.8M12 9.8c1.6.5 2.5 1.8 2.5 3.7",
  audit: "M4 2.200h8v11.600H4zM6.2 5.500h3.600M6.2 8h3.600M6.2 10.500h2",
  settings:
    "M2.5 4.500h6M12 4.500h1.500M2.5 11.500h1.500M7.5 11.500h6M10.2 6.200a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.400zM5.7 13.200a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.400z",
  components: "M2.5 2.500h4.500v4.500H2.500zM9 2.500h4.500v4.500H9zM2.5 9h4.500v4.500H2.500zM9 9h4.500v4.500H9z",
  docs: "M8 4.200C6.5 3 4.5 2.7 2.5 3v9.500c2-.3 4 0 5.5 1.2 1.5-1.2 3.5-1.5 5.5-1.200V3c-2-.3-4 0-5.5 1.200zm0 0v9.5",
  search: "M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.300l3.2 3.2",
  menu: "M2.5 4.500h11M2.5 8h11M2.5 11.500h11",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  check: "M3.2 8.500l3.2 3.2 6.4-7",
  warn: "M8 2.5 14 13H2zM8 6.500v3M8 11.300v.2",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.300v3.700M8 5v.2",
  stop: "M4 4h8v8H4z",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  copy: "M5.5 5.500h8v8h-8zM3.5 10.500h-1v-8h8v1",
  refresh: "M13.2 7A5.3 5.3 0 0 0 3.6 5M2.8 9a5.3 5.3 0 0 0 9.6 2M3.3 2.300V5h2.700M12.7 13.700V11H10",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.200l2 1.3",
  pause: "M5.5 3.500v9M10.5 3.500v9",
  folder: "M2 4h4l1.5 1.800H14V13H2z",
  key: "M10.2 9A3.2 3.2 0 1 0 7 5.800L2.5 10.300v3h3v-2h2V9.400M11 5.200h.01",
  out: "M6.5 2.500h-4v11h4M6 8h7.500M10.5 5l3 3-3 3",
  sun: "M8 10.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600zM8 1.500v1.300M8 13.200v1.300M1.5 8h1.300M13.2 8h1.300M3.4 3.400l.9.900M11.7 11.700l.9.900M12.6 3.400l-.9.900M4.3 11.700l-.9.9",
  moon: "M13.5 9.800A6 6 0 1 1 6.2 2.500a4.8 4.8 0 0 0 7.3 7.300z",
  eye: "M1.5 8s2.4-4.5 6.5-4.500S14.5 8 14.5 8 12.1 12.5 8 12.5 1.5 8 1.5 8zM8 9.800a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.600z",
  table: "M2.5 3h11v10h-11zM2.5 6.300h11M2.5 9.600h11M6.5 6.300V13",
  link: "M6.5 9.500l3-3M7.5 4.500l1-1a2.8 2.8 0 0 1 4 4l-1 1M8.5 11.500l-1 1a2.8 2.8 0 0 1-4-4l1-1",
  dot: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
} as const

export type IconName = keyof typeof PATHS

/** A picture beside words; it says nothing that the words do not. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}

/** Water that parts and meets again. */
export function Mark({ size = 22 }: { readonly size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor">
      <path
        d="M2 6.500h5.500c4 0 5 3.5 8.5 3.500h6M2 12h20M2 17.500h5.500c4 0 5-3.5 8.5-3.500h6"
        strokeWidth="2"
        strokeLinecap="round"
      />
    </svg>
  )
}
