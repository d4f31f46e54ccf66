export type {
  FoundPost as Candidate,
  Position,
  Slice,
  Transaction,
} from '@stratos/prisma/queries';
