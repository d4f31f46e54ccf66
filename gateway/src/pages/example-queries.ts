/** What the editor opens with. */
export const TIMELINE_QUERY = `# The newest private posts that you share a boundary with.
query Timeline {
  viewer {
    handle
    boundaries {
      name
      node
    }
  }
  timeline(first: 20) {
    edges {
      node {
        author {
          handle
        }
        text
        createdAt
        boundaries {
          name
        }
      }
    }
    pageInfo {
      hasNextPage
    }
  }
}
`;

/** The same in short, for the front page. */
export const SHORT_TIMELINE_QUERY = `query Timeline {
  timeline(first: 20) {
    edges {
      node { author { handle } text boundaries { name } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

export const SHORT_AUTHOR_QUERY = `query AuthorFeed {
  authorFeed(actor: "sakura.test", first: 5) {
    edges {
      node { uri cid text }
    }
  }
}
`;
