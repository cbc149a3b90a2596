// How far somebody has heard a room.

/** Up to where somebody has heard. */
export interface Position {
  readonly epoch: string
  readonly last: string
}

/** What is told of a join, before anything of the room is sent. */
export interface Joined extends Position {
  /** What follows is all that was missed, and nothing was asked for otherwise. */
  readonly recovered: boolean
}
