import { cards, productBlock } from "./blocks.js";
import { ratingCard } from "./rating.js";

/** What a conversation may come to need; most begin without. */
export const extras = { cards, productBlock, ratingCard };
