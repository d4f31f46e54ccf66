import type { Prisma } from '@stratos/prisma';

export type { FoundPost as Candidate, Position, Slice } from '@stratos/prisma/queries';

export type Transaction = Prisma.TransactionClient;
