/** The few pictures on buttons. */

const frame = { width: 16, height: 16, viewBox: "0 0 16 16", "aria-hidden": true } as const;
const stroke = {
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 1.5,
  "stroke-linecap": "round",
  "stroke-linejoin": "round",
} as const;

export function SendIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} stroke-width={1.8} d="M8 13V3.5M3.8 7.5 8 3.3l4.2 4.2" />
    </svg>
  );
}

export function StopIcon() {
  return (
    <svg {...frame}>
      <rect x="4" y="4" width="8" height="8" rx="1.6" fill="currentColor" />
    </svg>
  );
}

export function PlusIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M8 3.5v9M3.5 8h9" />
    </svg>
  );
}

export function ListIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M3 4.5h10M3 8h10M3 11.5h10" />
    </svg>
  );
}

/** A cell with its brackets. */
export function CellIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M4.5 3H3v10h1.5M11.5 3H13v10h-1.5M6 6.3h4M6 9.7h4" />
    </svg>
  );
}

export function CopyIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M5.5 5.5v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2" />
      <rect {...stroke} x="2.5" y="5.5" width="8" height="8" rx="1" />
    </svg>
  );
}

export function CheckIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="m3 8.5 3.2 3.2L13 4.8" />
    </svg>
  );
}

export function DownIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M8 3v9.5M3.8 8.5 8 12.7l4.2-4.2" />
    </svg>
  );
}

export function RetryIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.6h-2.6" />
    </svg>
  );
}

export function CrossIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="m4 4 8 8M12 4l-8 8" />
    </svg>
  );
}

export function PencilIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="m3 13 .7-3.1 7.4-7.4a1 1 0 0 1 1.4 0l1 1a1 1 0 0 1 0 1.4l-7.4 7.4L3 13ZM9.8 3.8l2.4 2.4" />
    </svg>
  );
}

export function BackIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M9.8 4 5.8 8l4 4" />
    </svg>
  );
}

export function ForthIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="m6.2 4 4 4-4 4" />
    </svg>
  );
}

export function MoreIcon() {
  return (
    <svg {...frame} width={10} height={16} viewBox="3 0 10 16">
      <path {...stroke} d="m4.5 6.5 3.5 3.5 3.5-3.5" />
    </svg>
  );
}

export function ThumbIcon({ down, filled }: { readonly down: boolean; readonly filled: boolean }) {
  return (
    <svg {...frame} transform={down ? "rotate(180)" : undefined}>
      <path
        {...stroke}
        fill={filled ? "currentColor" : "none"}
        d="M5.3 7.2 8 2.3a1.4 1.4 0 0 1 1.4 1.9l-.7 2.3h3.1a1.2 1.2 0 0 1 1.2 1.5l-1 4a1.2 1.2 0 0 1-1.2.9H5.3Z"
      />
      <path {...stroke} d="M5.3 7.2H3v5.7h2.3" />
    </svg>
  );
}

export function EyeIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8Z" />
      <circle {...stroke} cx="8" cy="8" r="1.8" />
    </svg>
  );
}

export function ClipIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="m13.5 7.5-5.6 5.6a3.2 3.2 0 0 1-4.5-4.5l5.9-5.9a2.1 2.1 0 0 1 3 3l-5.9 5.9a1.1 1.1 0 0 1-1.5-1.5l5.2-5.2" />
    </svg>
  );
}

export function FileIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M9 2H4.5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h7a1 1 0 0 0 1-1V5.5ZM9 2v3.5h3.5" />
    </svg>
  );
}

export function WidenIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M9.5 2.5h4v4M6.5 13.5h-4v-4M13.2 2.8 9.3 6.7M2.8 13.2l3.9-3.9" />
    </svg>
  );
}

export function ShrinkIcon() {
  return (
    <svg {...frame}>
      <path {...stroke} d="M9.3 2.7v4h4M6.7 13.3v-4h-4M9.5 6.5l3.8-3.8M6.5 9.5l-3.8 3.8" />
    </svg>
  );
}
